"""What waits for itself is found, with the lines that make it so; and what breaks it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from blackstart.graph.cycles import Cycle, cycles, stuck
from blackstart.graph.inputs import BootInputs
from blackstart.graph.outlook import outlook
from blackstart.model.circumstances import HighAvailability, Managed
from blackstart.model.proxmox_facts import StoreDefinition
from blackstart.model.verdict import Verdict

from . import sites
from .sites import NAS_NAME, by_name, fstab, inputs, lost, seen, with_fstab, with_guest


def found(given: BootInputs) -> tuple[Cycle, ...]:
    return cycles(sites.graph(given))


def only_its_own(given: BootInputs) -> BootInputs:
    """pve1 asks one resolver, which is its own guest."""
    names = replace(given.names["pve1"], resolvers=seen(("10.0.0.50",), "ssh pve1: resolv.conf"))
    return replace(given, names={**given.names, "pve1": names})


INCIDENT = only_its_own(by_name(inputs(3), "pve1"))


def test_the_nas_by_a_name_that_only_a_guest_of_this_host_resolves() -> None:
    (cycle,) = found(INCIDENT)
    assert cycle.deadlock
    assert cycle.parts == (
        *("mount/pve1-vms", "boot/pve1", "start/maas", "guest/maas", "dns/maas"),
        f"name/{NAS_NAME} for pve1",
    )
    assert cycle.evidence == (
        f"pve1:/etc/fstab:7: {NAS_NAME}:/export/vms /mnt/nas/vms nfs defaults,_netdev",
        "inventory: dns.servers.maas.guest maas; api GET cluster/resources: maas is on pve1",
    )
    assert cycle.fix == (
        f"in pve1:/etc/fstab:7 write the address of {NAS_NAME} instead of the name, and add nofail"
    )


def test_everything_on_that_host_never_starts_and_the_other_host_does() -> None:
    graph = sites.graph(INCIDENT)
    assert {"guest/maas", "guest/docker1", "compose/web", "dhcp/maas"} <= stuck(graph)
    assert {"guest/dns2", "dns/dns2", "mount/pve2-vms"} <= graph.starting()


BROKEN_BY = {
    "nofail": with_fstab(INCIDENT, pve1=fstab("_netdev,nofail", NAS_NAME)),
    "an address": with_fstab(INCIDENT, pve1=fstab("_netdev")),
    "the host's own table": replace(
        INCIDENT,
        names={
            **INCIDENT.names,
            "pve1": replace(INCIDENT.names["pve1"], table=seen({NAS_NAME: "/etc/hosts:2"})),
        },
    ),
    "a second resolver elsewhere": by_name(inputs(3), "pve1"),
    "the guest being elsewhere": with_guest(INCIDENT, "maas", node=seen("pve2", "api")),
}


@pytest.mark.parametrize("name", BROKEN_BY)
def test_it_is_broken_by(name: str) -> None:
    assert found(BROKEN_BY[name]) == ()
    assert "guest/maas" in sites.graph(BROKEN_BY[name]).starting()


def test_two_hosts_that_wait_for_each_others_resolver() -> None:
    both = found(by_name(inputs(3), "pve1", "pve2"))
    assert [cycle.parts[0] for cycle in both] == ["mount/pve1-vms", "mount/pve2-vms"]


def test_each_entry_is_a_cycle_of_its_own() -> None:
    more = (f"{NAS_NAME}:/export/iso", "/mnt/iso", "nfs", "_netdev")
    given = with_fstab(INCIDENT, pve1=fstab("_netdev", NAS_NAME, more))
    assert [cycle.evidence[0].split()[0] for cycle in found(given)] == [
        "pve1:/etc/fstab:7:",
        "pve1:/etc/fstab:8:",
    ]


def test_a_nas_that_is_a_guest_of_the_host_that_waits_for_it() -> None:
    (cycle,) = found(with_fstab(inputs(3), pve1=fstab("_netdev", "10.0.0.50")))
    assert cycle.parts == ("mount/pve1-vms", "boot/pve1", "start/maas", "guest/maas")
    assert cycle.evidence[0].startswith("pve1:/etc/fstab:7: 10.0.0.50:/export/vms")
    assert "nofail" in cycle.fix


def on_a_store_by_name(name: str, **changes: str) -> BootInputs:
    store = StoreDefinition(name="nfs", kind="nfs", path="/mnt/pve/nfs", servers=(NAS_NAME,))
    given = only_its_own(with_guest(inputs(7), name, scsi0="nfs:1/disk.raw", **changes))
    return replace(given, stores=seen((store, *sites.STORES), "api GET storage"))


def test_a_guest_whose_disk_is_reached_by_the_name_that_it_resolves() -> None:
    (cycle,) = found(on_a_store_by_name("maas"))
    assert cycle.deadlock
    assert set(cycle.parts) >= {"store/nfs on pve1", "start/maas", "guest/maas", "dns/maas"}
    assert cycle.fix == f"define store/nfs on pve1 by the address of {NAS_NAME}, not by the name"


def test_a_guest_whose_turn_is_before_the_resolver_it_needs() -> None:
    given = on_a_store_by_name("docker1", startup="order=0")
    (cycle,) = found(given)
    assert not cycle.deadlock
    assert cycle.parts[:2] == ("start/docker1", "start/maas")
    assert stuck(sites.graph(given)) == {"start/docker1", "guest/docker1", "compose/web"}
    assert found(on_a_store_by_name("docker1")) == (), "in its turn, all is well"


def test_what_does_not_start_holds_up_nobody_in_turn() -> None:
    given = with_guest(inputs(3), "maas", onboot=seen(False, "api GET config"))
    graph = sites.graph(given)
    assert graph.by_id["start/maas"].never == "onboot is 0, so its node does not start it"
    assert "start/docker1" in graph.starting()
    assert outlook(graph, given.inventory).verdict is Verdict.FAIL


def test_a_guest_that_high_availability_starts_needs_no_onboot() -> None:
    managed = (Managed(sid="vm:100", node="pve1", state="started"),)
    whole = HighAvailability(managed=managed, maintenance=(), disarmed=False)
    off = with_guest(inputs(3), "maas", onboot=seen(False, "api GET config"))
    assert "guest/maas" in sites.graph(replace(off, high_availability=seen(whole))).starting()
    unread = sites.graph(replace(off, high_availability=lost("api GET ha")))
    assert "guest/maas" in unread.starting()
    assert [gap.part for gap in unread.unknown] == ["start/maas"]


@pytest.mark.parametrize(
    ("given", "verdict"),
    [
        (inputs(3), Verdict.PASS),
        (INCIDENT, Verdict.FAIL),
        (with_fstab(inputs(3), pve1=None), Verdict.UNPROVEN),
        (with_fstab(INCIDENT, pve2=None), Verdict.FAIL),
        (replace(inputs(3), stores=lost()), Verdict.UNPROVEN),
    ],
)
def test_what_it_decides(given: BootInputs, verdict: Verdict) -> None:
    assert outlook(sites.graph(given), given.inventory).verdict is verdict
