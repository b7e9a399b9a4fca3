"""Answers that are not of the vendor's shape: not known, with the path, and never a traceback."""

from __future__ import annotations

from typing import Any

import pytest

from blackstart.drivers.clock import SystemClock
from blackstart.drivers.proxmox_api import ProxmoxApi
from blackstart.drivers.proxmox_look import ProxmoxLook
from blackstart.drivers.proxmox_survey import survey
from blackstart.errors import Rejected
from blackstart.model.proxmox_facts import ProxmoxFacts

from .captures import data
from .proxmox_guests import BASE, VM, guest, guests, resources
from .tls_server import Server

RIGHTS = dict.fromkeys(
    ("Sys.Audit", "VM.Audit", "VM.GuestAgent.Audit", "Datastore.Audit", "Mapping.Audit"), 1
)
PATHS = ("/", "/nodes", "/vms", "/storage", "/mapping")
PVE1 = {"type": "node", "name": "pve1", "online": 1, "local": 1, "ip": "192.0.2.2"}
BOX = {"type": "qemu", "vmid": 100, "node": "pve1", "status": "running"}


@pytest.fixture
def alone(node: Server) -> Server:
    """A node that stands alone with one guest, to a token that may see all."""
    node.answers |= {
        f"{BASE}/version": data({"version": "9.1.7"}),
        f"{BASE}/access/permissions": data(dict.fromkeys(PATHS, RIGHTS)),
        f"{BASE}/cluster/status": data([PVE1]),
        f"{BASE}/nodes": data([{"node": "pve1"}]),
        f"{BASE}/cluster/resources": resources(BOX),
        f"{BASE}/storage": data([{"storage": "local", "type": "dir"}]),
        f"{BASE}/nodes/pve1/storage": data([{"storage": "local", "type": "dir", "active": 1}]),
        f"{VM}/config": data({"hostpci0": "mapping=gpu", "machine": "pc-q35-9.2"}),
        f"{VM}/status/current": data({"status": "running"}),
    }
    return node


STRANGE: dict[str, tuple[list[dict[str, Any]], str]] = {
    "storage": ([{"type": "dir"}], "stores"),
    "cluster/backup": ([{"all": 1}], "jobs"),
    "cluster/backup-info/not-backed-up": ([{"vmid": None}], "uncovered"),
    "cluster/replication": ([{"disable": 1}], "disabled_replication"),
    "cluster/resources": ([{**BOX, "vmid": "box"}], "guests"),
    "nodes/pve1/storage": ([{"active": 1}], "stores"),
    "nodes/pve1/disks/zfs": ([{"health": "ONLINE"}], "pools"),
    "nodes/pve1/disks/lvmthin": ([{"vg": "pve"}], "thin_pools"),
    "nodes/pve1/replication": ([{"id": "100-0", "last_sync": "today"}], "replication"),
    "nodes/pve1/capabilities/qemu/machines": ([{"version": "9.2"}], "machines"),
    "cluster/mapping/pci": ([{"map": []}], "mappings"),
    "nodes/pve1/storage/local/content": ([{"size": 1}], "pve1/local"),
}


@pytest.mark.parametrize("path", STRANGE)
def test_what_checks_look_at(path: str, alone: Server, api: ProxmoxApi) -> None:
    answer, fact = STRANGE[path]
    alone.answers[f"{BASE}/{path}"] = data(answer)
    facts: ProxmoxFacts = ProxmoxLook(api, SystemClock())()
    of = facts.hypervisors["pve1"] if path.startswith("nodes/") or "mapping" in path else facts
    seen = facts.content[fact] if path.endswith("content") else getattr(of, fact)
    assert seen.value is None
    assert "not understood" in str(seen.error)
    assert path in f"{seen.source} {seen.error}"


@pytest.mark.parametrize("vmid", ["box", None])
def test_a_first_look_at_guests(vmid: object, alone: Server, api: ProxmoxApi) -> None:
    alone.answers[f"{BASE}/cluster/resources"] = resources({**BOX, "vmid": vmid})
    with pytest.raises(Rejected, match="cluster/resources: the answer is not understood"):
        survey(api)


def test_a_first_look_at_the_rest(alone: Server, api: ProxmoxApi) -> None:
    alone.answers[f"{BASE}/cluster/backup-info/not-backed-up"] = data([{"vmid": "box"}])
    assert "not understood" in str(survey(api).uncovered.error)


def test_switches_given_as_text(alone: Server, api: ProxmoxApi) -> None:
    alone.answers |= {
        f"{BASE}/cluster/status": data([{**PVE1, "online": "1", "local": "1"}]),
        f"{BASE}/cluster/resources": resources({**BOX, "template": "1"}),
    }
    found = survey(api)
    assert [(it.online, it.local) for it in found.nodes] == [(True, True)]
    assert (found.templates, found.guests) == ((100,), ())


def test_a_status_that_says_nothing(alone: Server, api: ProxmoxApi) -> None:
    alone.answers[f"{VM}/status/current"] = data({"vmid": 100})
    with pytest.raises(Rejected, match="not understood"):
        guests(api, box=guest()).status("box")
