"""The checks' look at a cluster, against the stand-in: what it asks, and what it may believe."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from blackstart.drivers.clock import SystemClock
from blackstart.drivers.proxmox_api import ProxmoxApi, parse_token
from blackstart.drivers.proxmox_look import ProxmoxLook
from blackstart.model.observed import Observed
from blackstart.model.proxmox_facts import HypervisorFacts, ProxmoxFacts
from blackstart.rack.standins.pve.shipping import BLIND_TOKEN, FULL_TOKEN, blind_token_value
from tests.contract.pve_client import Api
from tests.contract.pve_schema import Schema
from tests.contract.pve_site import SiteNode, members_file
from tests.contract.test_pve_node_views import AUDITOR, AUDITOR_SECRET, COROSYNC, auditor

VM = """\
agent: 1
bios: ovmf
boot: order=scsi0
efidisk0: local:100/vm-100-disk-0.raw,efitype=4m,size=528K
hostpci0: mapping=gpu
memory: 256
name: web
onboot: 1
scsi0: local:100/vm-100-disk-1.raw,size=1G

[PENDING]
memory: 512
"""
CT = "hostname: dns2\nmp0: /srv/media,mp=/media\nrootfs: local:103/vm-103-disk-0.raw,size=1G\n"
TEMPLATE = "name: golden\ntemplate: 1\nscsi0: local:104/base-104-disk-0.raw,size=1G\n"
JOBS = "vzdump: nightly\n\tschedule 01:30\n\tall 1\n\tenabled 1\n\tstorage local\n"
STORES = """\
dir: local
\tpath {store}
\tcontent images,rootdir,iso,snippets,backup

nfs: media
\tserver nas1.rack.test
\texport /export
\tcontent iso
\tdisable 1
"""


class Asking(ProxmoxApi):
    """Our client, which remembers what it asked."""

    def __init__(self, *words: Any, **named: Any) -> None:
        super().__init__(*words, **named)
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def get(self, path: str, /, **fields: Any) -> Any:
        self.asked.append((path, fields))
        return super().get(path, **fields)

    def post(self, path: str, **fields: Any) -> Any:
        raise AssertionError(f"a look changes nothing: POST {path}")


@pytest.fixture
def node(site: SiteNode, api: Api) -> SiteNode:
    """A cluster of which one node is away, with guests of each kind and a template."""
    site.guest(100, VM, running=True)
    site.guest(103, CT, "lxc", running=True)
    site.guest(104, TEMPLATE)
    for name in ("100/vm-100-disk-1.raw", "103/vm-103-disk-0.raw"):
        site.disk(name)
    site.put("storage.cfg", STORES.format(store=site.store))
    site.put("jobs.cfg", JOBS)
    site.put("corosync.conf", COROSYNC)
    site.put(".members", members_file({"pve1": True, "pve2": False}, "pve1"))
    site.measure()
    return site


@pytest.fixture
def client(node: SiteNode, api: Api, pve_secrets: Path) -> Iterator[Any]:
    """Makes clients of it, by token."""
    made: list[Asking] = []

    def make(token: str) -> Asking:
        port = int(node.base_url.rsplit(":", 1)[1])
        made.append(
            Asking(
                {"pve1": "127.0.0.1"},
                token=parse_token(token),
                ca=pve_secrets / "ca.crt",
                port=port,
            )
        )
        return made[-1]

    yield make
    for each in made:
        each.close()


def look(api: ProxmoxApi) -> ProxmoxFacts:
    return ProxmoxLook(api, SystemClock())()


def full(client: Any, secrets: Path) -> Asking:
    made: Asking = client(f"{FULL_TOKEN}={(secrets / 'pve-token').read_text().strip()}")
    return made


def test_everything_asked_is_read_only_and_of_the_vendors_schema(
    client: Any, pve_secrets: Path, vendor: dict[tuple[str, str], Schema]
) -> None:
    api = full(client, pve_secrets)
    look(api)
    known = {
        re.compile(re.sub(r"\{\w+\}", "[^/]+", path.strip("/"))): (path, method)
        for (verb, path), method in vendor.items()
        if verb == "GET"
    }
    seen = set()
    for path, fields in api.asked:
        fitting = [found for pattern, found in known.items() if pattern.fullmatch(path)]
        assert len(fitting) == 1, path
        template, method = fitting[0]
        assert set(fields) <= set(method["parameters"].get("properties", {})), path
        seen.add(template)
    # What is only asked when something makes it necessary was asked here, too.
    assert {"/cluster/mapping/pci", "/nodes/{node}/hosts", "/access/permissions"} <= seen
    assert len(seen) >= 22


def test_machines_are_asked_for_only_where_a_guest_pins_one(
    client: Any, node: SiteNode, pve_secrets: Path, vendor: dict[tuple[str, str], Schema]
) -> None:
    path = "nodes/pve1/capabilities/qemu/machines"
    api = full(client, pve_secrets)
    look(api)
    assert path not in {asked for asked, _ in api.asked}
    pinned = VM.replace("[PENDING]", "machine: pc-q35-9.0\n\n[PENDING]")
    node.put("nodes/pve1/qemu-server/100.conf", pinned)
    machines = look(api).hypervisors["pve1"].machines
    assert path in {asked for asked, _ in api.asked}
    assert ("GET", "/nodes/{node}/capabilities/qemu/machines") in vendor
    assert machines.error, "the stand-in does not tell, which is no machine that is gone"


def test_a_path_that_the_vendor_does_not_have_would_be_seen(
    vendor: dict[tuple[str, str], Schema],
) -> None:
    assert ("GET", "/nodes/{node}/certificates/info") in vendor
    assert ("GET", "/nodes/{node}/certificates/none") not in vendor


def test_all_of_a_node_that_is_up_is_known_to_a_token_that_may_see(
    client: Any, node: SiteNode, pve_secrets: Path
) -> None:
    facts = look(full(client, pve_secrets))
    here = facts.hypervisors["pve1"]
    lost = {name: getattr(here, name).error for name in HypervisorFacts.model_fields}
    assert {name: why for name, why in lost.items() if why} == {}
    whole = [getattr(facts, name) for name in ProxmoxFacts.model_fields]
    assert [it for it in whole if isinstance(it, Observed) and not it.known] == []
    assert [(row.vmid, row.running, row.template) for row in facts.guests.value or ()] == [
        (100, True, False),
        (103, True, False),
        (104, False, True),
    ]
    assert set(facts.plans) == {"qemu/100", "lxc/103"}
    plan = facts.plans["qemu/100"]
    assert (plan.config.value or {})["memory"] == "512"
    assert [(it.key, it.now, it.then) for it in plan.pending.value or ()] == [
        ("memory", "256", "512")
    ]
    assert "nas1.rack.test" in (here.host_names.value or ())
    assert {it.volid for it in facts.content["pve1/local"].value or ()} >= {
        "local:100/vm-100-disk-1.raw"
    }
    assert "media" not in {place.partition("/")[2] for place in facts.content}


def test_a_node_that_is_away_is_unknown_and_not_asked(client: Any, pve_secrets: Path) -> None:
    api = full(client, pve_secrets)
    facts = look(api)
    away = facts.hypervisors["pve2"]
    assert away.stores.error == "pve2 is offline"
    assert [path for path, _ in api.asked if path.startswith("nodes/pve2")] == []


def test_a_volume_that_is_gone_is_gone_only_to_who_would_see_it(
    client: Any, node: SiteNode, api: Api, pve_secrets: Path
) -> None:
    facts = look(full(client, pve_secrets))
    assert "Datastore.Allocate" in (facts.rights["/storage/local"].value or ())
    auditor(node, api)
    facts = look(client(f"{AUDITOR}={AUDITOR_SECRET}"))
    assert facts.content["pve1/local"].value == ()
    assert "VM.Config.Disk" not in (facts.rights["/vms/100"].value or ())
    assert facts.guests.known


def test_a_blind_token_learns_nothing_and_is_told_the_grant(client: Any, pve_secrets: Path) -> None:
    facts = look(client(f"{BLIND_TOKEN}={blind_token_value(pve_secrets)}"))
    assert facts.online.value is None
    assert "pveum acl modify / --users blackstart@pve --tokens 'blackstart@pve!blind'" in str(
        facts.online.error
    )
    assert not any(it.known for it in vars(facts).values() if isinstance(it, Observed))
    assert (facts.plans, facts.content) == ({}, {})


def test_an_api_that_is_gone_is_told_within_the_bound(pve_secrets: Path) -> None:
    token = parse_token("a@pve!b=5e3a9f10-0000-4000-8000-7c0ffee00002")
    api = ProxmoxApi({"pve1": "127.0.0.1"}, token=token, ca=pve_secrets / "ca.crt", port=1)
    facts = ProxmoxLook(api, SystemClock(), deadline_s=10)()
    assert "refused" in str(facts.guests.error)
    api.close()
