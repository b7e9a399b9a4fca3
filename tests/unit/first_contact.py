"""A cluster that answers as genuine ones were recorded to, and our command typed at it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from blackstart.cli import blackstart
from blackstart.errors import BlackstartError
from tests.unit.drivers.captures import CAPTURES, data, from_log, replay
from tests.unit.drivers.tls_server import Reply, Server

BASE = "GET /api2/json"
SECRET = "5e3a9f10-0000-4000-8000-7c0ffee00001"
TOKEN = f"bob@pve!t1={SECRET}"
AUDITOR = dict.fromkeys(
    ("Sys.Audit", "VM.Audit", "VM.GuestAgent.Audit", "Datastore.Audit", "Pool.Audit"), 1
)
SEES_ALL = dict.fromkeys(("/", "/access", "/nodes", "/storage", "/vms"), AUDITOR)
GRANT = "pveum acl modify / --users bob@pve --tokens 'bob@pve!t1' --roles PVEAuditor"


def agent(mac: str, *addresses: str) -> Reply:
    """What a guest's agent says of a card."""
    found = [{"ip-address": it, "ip-address-type": "ipv4", "prefix": 24} for it in addresses]
    loopback = {"name": "lo", "hardware-address": "00:00:00:00:00:00", "ip-addresses": []}
    card = {"name": "eth0", "hardware-address": mac, "ip-addresses": found}
    return data({"result": [loopback, card]})


def listed(vmid: int, kind: str = "qemu", node: str = "pve1", **more: Any) -> dict[str, Any]:
    """An entry of ``cluster/resources``."""
    entry = {"type": kind, "vmid": vmid, "node": node, "id": f"{kind}/{vmid}", "template": 0}
    return {**entry, "name": f"vm{vmid}", "status": "running", **more}


def has_guest(
    server: Server, vmid: int, config: dict[str, Any], *addresses: str, status: str = "running"
) -> None:
    """A QEMU guest on pve1 whose agent shows addresses on its first card."""
    path = f"{BASE}/nodes/pve1/qemu/{vmid}"
    mac = str(config.get("net0", "virtio=00:00:00:00:00:00")).split(",")[0].partition("=")[2]
    server.answers[f"{path}/status/current"] = data({"status": status, "vmid": vmid})
    server.answers[f"{path}/config"] = data(config)
    off = Reply(500, f"VM {vmid} is not running")
    shown = agent(mac.lower(), *addresses) if status == "running" else off
    server.answers[f"{path}/agent/network-get-interfaces"] = shown


def genuine(server: Server) -> None:
    """One node without a cluster, one guest, as the genuine 9.1.7 answered."""
    server.answers |= {
        f"{BASE}/version": replay("200-version"),
        f"{BASE}/access/permissions": data(SEES_ALL),
        f"{BASE}/cluster/status": replay("200-cluster-status"),
        f"{BASE}/nodes": replay("200-nodes"),
        f"{BASE}/cluster/resources": replay("200-resources"),
        f"{BASE}/nodes/pve1/qemu/100/config": replay("200-config"),
        f"{BASE}/nodes/pve1/qemu/100/status/current": replay("200-status-current"),
        f"{BASE}/nodes/pve1/qemu/100/agent/network-get-interfaces": agent(
            "bc:24:11:75:39:4c", "192.0.2.100"
        ),
        f"{BASE}/nodes/pve1/dns": data({"search": "home.example.net", "dns1": "192.0.2.53"}),
        f"{BASE}/storage": data(
            [
                {"storage": "local", "type": "dir", "path": "/var/lib/vz"},
                {"storage": "nas", "type": "nfs", "server": "192.0.2.20", "export": "/vms"},
            ]
        ),
        f"{BASE}/cluster/backup": data([]),
        f"{BASE}/cluster/backup-info/not-backed-up": data([{"vmid": 100, "type": "qemu"}]),
        f"{BASE}/cluster/ha/resources": data([{"sid": "vm:100", "state": "started"}]),
    }


def half_dead(server: Server) -> None:
    """A cluster of two of which one has died, as the genuine one showed it."""
    genuine(server)
    log = "cluster-node-down"
    server.answers |= {
        f"{BASE}/cluster/status": data(from_log(log, "cluster status")),
        f"{BASE}/nodes": data(from_log(log, "nodes")),
        f"{BASE}/cluster/resources": data(from_log(log, "resources")),
    }
    has_guest(server, 102, from_log_object(log, "get config no quorum"), status="stopped")


def from_log_object(name: str, label: str) -> dict[str, Any]:
    """The object after ``## label`` in one of the recorded sessions."""
    lines = (CAPTURES / f"{name}.txt").read_text().splitlines()
    text = next(line for line in lines if line.startswith(f"## {label} "))
    found: dict[str, Any] = json.loads(text.removeprefix(f"## {label} "))
    return found


@dataclass
class Typed:
    """How a command ended."""

    code: int
    stdout: str
    stderr: str


def typed(*words: str, token: str = TOKEN) -> Typed:
    """Run ``blackstart`` as ``main`` does, with a token in the environment."""
    result = CliRunner().invoke(blackstart, list(words), env={"PVE_TOKEN": token, "NO_COLOR": "1"})
    error = result.exception
    if isinstance(error, BlackstartError):
        return Typed(error.exit_code, result.stdout, f"{result.stderr}{error}")
    if error is not None and not isinstance(error, SystemExit):
        raise error
    return Typed(result.exit_code, result.stdout, result.stderr)


def discover(port: int, ca: Path | None, *words: str, token: str = TOKEN) -> Typed:
    """``blackstart discover`` at a server on loopback."""
    trust: Sequence[str] = ("--ca", str(ca)) if ca is not None else ()
    url = f"https://127.0.0.1:{port}"
    return typed(
        "discover", "--proxmox", url, "--token", "env:PVE_TOKEN", *trust, *words, token=token
    )
