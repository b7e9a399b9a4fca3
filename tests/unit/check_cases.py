"""For every check of ``checks/``: what it is red on, what it is green on, and what it then says.

Most of it is what the tests of each subject are made of; what those hand to another process stands
here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from blackstart import pytest_facts
from blackstart.errors import Found, Unproven
from blackstart.graph.inputs import BootInputs
from blackstart.model.dhcp_facts import AddressRange
from blackstart.model.facts import SiteFacts
from blackstart.model.host_boot import HostBootFacts
from blackstart.model.maas_facts import MaasFacts
from blackstart.model.proxmox_facts import StoreDefinition

from . import guest_addresses as addresses
from . import test_checks_backups as backups
from . import test_checks_cluster as clusters
from . import test_checks_guest_network as networks
from . import test_checks_guests as guests
from . import test_checks_host as hosts
from . import test_checks_k3s as k3s
from . import test_checks_maas as maas
from . import test_checks_names as names
from .calling import CHECKS, call, checks_in
from .graph import sites
from .host_boots import SUBJECTS
from .host_boots import well as well_host
from .invariants.site import lost, seen
from .invariants.site import site as drilled
from .proxmox_cases import Given, managing, site
from .proxmox_cases import facts as snapshot
from .storage_drifts import sdn, zfs

EVERY = checks_in(*(path.stem for path in sorted(CHECKS.glob("test_*.py"))))
"""Every check there is, by its name without ``test_``."""


def verdict(check: Callable[..., Any], given: Given) -> str:
    """How it ends. What is neither a finding nor a gap of knowledge is a defect, and raised."""
    made = {"boot_graph": sites.graph(given["inputs"])} if "inputs" in given else {}
    try:
        if "readiness" in given:
            made["proxmox"] = call(pytest_facts.proxmox._get_wrapped_function(), given)
        call(check, {**given, **made})
    except Found:
        return "fail"
    except Unproven:
        return "unproven"
    except pytest.skip.Exception:
        return "n/a"
    return "pass"


def host(facts: HostBootFacts) -> Given:
    """A host that says this of its next boot."""
    return {**dict.fromkeys(("host", "machine"), "a1"), "host_boots": {"a1": facts}} | {
        "inventory": drilled()
    }


def waiting(inputs: BootInputs, **target: str) -> Given:
    """A site of whose boot graph somebody asks."""
    return {"inputs": inputs, "inventory": inputs.inventory, **target}


def addressed(facts: SiteFacts, **target: str) -> Given:
    """A site of whose address book somebody asks."""
    return {"facts": facts, "inventory": addresses.inventory(), **target}


def served(**changes: Any) -> Given:
    """A site with the DHCP server of ``far`` otherwise."""
    return addressed(addresses.agreeing(dhcp={"far": addresses.dhcp(**changes)}))


def member(node: Any = None, server: Any = None) -> Given:
    """A server of k3s, and the node that it is."""
    whole = k3s.cluster(
        [node or k3s.node("k1", "10.0.0.104")], {"k1": server or k3s.server("10.0.0.104")}
    )
    return {"k3s_server": "k1", "facts": SiteFacts(taken_at=0.0, k3s=whole)}


def region(**changes: Any) -> Given:
    """A site whose MAAS says something else."""
    facts: MaasFacts = maas.QUIET.model_copy(update=changes)
    return {"facts": SiteFacts(taken_at=0.0, maas=facts), "inventory": addresses.inventory()}


def offered(*servers: str) -> Given:
    """A site in which these offer addresses, and the first one should."""
    declared = {"one": {"address": "192.0.2.1", "interface": "eno1"}}
    return {
        "dhcp_server": "one",
        "facts": SiteFacts(taken_at=0.0, offers={"eno1": seen(servers, "dhcp eno1")}),
        "inventory": drilled(dhcp=declared),
    }


def twin() -> Given:
    """Two machines with one boot id."""
    facts = snapshot()
    return {
        "machine": "a1",
        "facts": facts.model_copy(update={"hosts": {**facts.hosts, "a2": facts.hosts["a1"]}}),
    }


def named(**answers: Any) -> Given:
    """A name server that answers so."""
    facts = names.answering(**{**names.WELL, **answers})
    return {"name_server": "one", "facts": facts, "inventory": names.lab()}


def before_its_store() -> BootInputs:
    """A guest whose store is found through a guest that starts after it."""
    well = sites.inputs(3)
    store = StoreDefinition(name="nfs", kind="nfs", servers=("nas1.lab.test",))
    given = sites.with_guest(well, "docker1", scsi0="nfs:1/x.raw", startup="order=0")
    own = replace(well.names["pve1"], resolvers=seen(("10.0.0.50",), "ssh pve1: resolv.conf"))
    stores = seen((store, *sites.STORES), "api GET storage")
    return replace(given, names={**given.names, "pve1": own}, stores=stores)


def by_name() -> BootInputs:
    """A host whose boot waits for its own guest."""
    given = sites.by_name(sites.inputs(3), "pve1")
    own = replace(given.names["pve1"], resolvers=seen(("10.0.0.50",), "ssh pve1: resolv.conf"))
    return replace(given, names={**given.names, "pve1": own})


HERE: Mapping[str, Sequence[Given]] = {
    "boot_does_not_wait_for_itself": (waiting(by_name(), machine="pve1"),),
    "guest_start_does_not_wait_for_itself": (waiting(before_its_store(), guest="docker1"),),
    "group_survives_any_one_loss": (
        waiting(
            sites.with_guest(sites.inputs(3), "dns2", node=seen("pve1", "api")),
            redundancy_group="dns",
        ),
    ),
    "every_source_agrees": (
        addressed(
            addresses.with_guest("box", interfaces=seen({addresses.BOX: ("192.0.2.7",)})),
            guest="box",
        ),
    ),
    "address_outlives_a_dhcp_restart": (
        addressed(
            addresses.agreeing(
                dhcp={
                    "far": addresses.dhcp(
                        declared=seen(()), recorded=seen((addresses.entry(dynamic=True),))
                    )
                },
                maas=addresses.maas(reservations=seen(())),
            ),
            guest="box",
        ),
    ),
    "no_declared_address_is_in_a_dynamic_range": (
        served(ranges=seen((AddressRange(first=addresses.BOX_AT, last=addresses.BOX_AT),))),
    ),
    "no_record_is_left_over": (
        served(leases=seen((addresses.lease(addresses.STRANGER, "192.0.2.90"),))),
    ),
    "dhcp_has_a_second_server": (served(partners=seen(())),),
    "k3s_node_is_ready": (
        member(k3s.node("k1", "10.0.0.104", ready=False, why="NodeStatusUnknown")),
        member(server=k3s.server("10.0.0.104", failing=seen(("etcd failed",)))),
    ),
    "k3s_node_is_known_at_its_declared_address": (member(k3s.node("k1", "10.0.0.220")),),
    "k3s_certificate_is_for_its_declared_address": (
        member(server=k3s.server("10.0.0.104", carried=seen(("10.0.0.221",)))),
        member(server=k3s.server("10.0.0.104", verified=seen(False))),
    ),
    "maas_shows_everything": (region(administrator=seen(False)),),
    "maas_services_run": (
        region(racks=seen((maas.rack("off"),))),
        region(racks=seen((maas.rack("dead"),))),
        region(racks=seen(())),
    ),
    "boot_images_are_whole": (
        region(images=seen((maas.IMAGE.model_copy(update={"complete": False}),))),
    ),
    "image_import_keeps_a_quiet_window": (region(syncs_by_itself=seen(True)),),
    "subnets_do_not_overlap": (
        region(
            subnets=seen((maas.LAN, maas.LAN.model_copy(update={"cidr": "192.0.2.128/25"}))),
        ),
    ),
    "dhcp_server_offers": (offered(),),
    "nobody_else_offers": (offered("192.0.2.1", "192.0.2.9"),),
    "machine_shows_itself": (twin(),),
    "name_server_gives_every_declared_name": (
        named(web=seen(("192.0.2.9",), "dns")),
        named(web=seen((), "dns"), ads=lost("dns")),
    ),
    "guest_has_its_bridges": tuple(given for given, _ in networks.RED),
}


@cache
def red() -> Mapping[str, Sequence[Given]]:
    """Every case that is to be red, by the check's name."""
    found: dict[str, list[Given]] = {name: [] for name in EVERY}
    found |= {name: [*cases] for name, cases in HERE.items()}
    for table in (guests.RED, backups.RED, clusters.RED):
        for name, given, _ in table:
            found.setdefault(name, []).append(given)
    for name, drift, _ in hosts.RED:
        found.setdefault(name, []).append(host(drift()))
    return found


def well(check: str) -> Given:
    """What a check is green on."""
    other: dict[str, Given] = {
        "boot_does_not_wait_for_itself": waiting(sites.inputs(3), machine="pve1"),
        "guest_start_does_not_wait_for_itself": waiting(sites.inputs(3), guest="docker1"),
        "group_survives_any_one_loss": waiting(sites.inputs(3), redundancy_group="dns"),
        "guest_has_its_bridges": networks.given(net0=networks.TAGGED),
        "guest_is_started_by_high_availability": site(managing()),
        "guests_of_a_lost_node_fit_elsewhere": site(hypervisor="a2"),
        "managed_guest_can_move": site(guest="far"),
        "machine_shows_itself": {"machine": "a1", "facts": snapshot()},
        "name_server_gives_every_declared_name": named(),
        **dict.fromkeys(checks_in("test_addresses"), addressed(addresses.agreeing(), guest="box")),
        **dict.fromkeys(checks_in("test_k3s"), member()),
        **dict.fromkeys(checks_in("test_maas"), region()),
        **dict.fromkeys(checks_in("test_dhcp"), offered("192.0.2.1")),
        **dict.fromkeys(checks_in(*SUBJECTS), host(well_host())),
        "no_encrypted_volume_waits_for_a_person": host(hosts.ENCRYPTED),
        "generated_network_is_read": host(sdn(included=True)),
        "zfs_pools_are_imported_at_boot": host(
            zfs("zfs-import-cache.service", "zfs-mount.service")
        ),
    }
    return other.get(check) or site()
