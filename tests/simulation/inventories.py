"""A small declared site for tests: two hypervisors, four guests."""

from __future__ import annotations

from typing import Any

from blackstart.model.inventory import Inventory

CONSENT = {"until": "2099-12-31"}


def small_site(**changes: Any) -> Inventory:
    """Two Proxmox nodes that opted in to everything, and what lives on them."""
    document: dict[str, Any] = {
        "site": "lab",
        "domain": "lab.test",
        "proxmox": {"token": "env:TOKEN"},
        "nodes": {"a1": _node("a1", 11), "a2": _node("a2", 12)},
        "guests": {
            "dns1": _guest(101, "dns1", "a1"),
            "box": {**_guest(102, "box", "a1"), "ssh": True},
            "dns2": _guest(103, "dns2", "a2"),
            "k1": _guest(104, "k1", "a2"),
        },
        "dns": {
            "servers": {
                "dns1": {"address": "10.0.0.101", "guest": "dns1"},
                "dns2": {"address": "10.0.0.103", "guest": "dns2"},
            },
            "names": {
                f"{name}.lab.test": {"addresses": [f"10.0.0.{last}"]}
                for name, last in (("dns1", 101), ("box", 102), ("dns2", 103), ("k1", 104))
            },
        },
        "compose": {
            "web": {
                "guest": "box",
                "directory": "/opt/web",
                "services": ["web"],
                "sentinel": "/opt/web/data/sentinel",
            }
        },
        "backups": {"etc_pve": {"host": "a2", "path": "/srv/backups/etc-pve"}},
        "services": {"web": {"http": "http://10.0.0.102/", "guest": "box"}},
        "hold": "5s",
        "settle": "5s",
    }
    return Inventory.model_validate({**document, **changes})


def _node(name: str, last: int) -> dict[str, Any]:
    controller = {"url": f"https://10.0.0.2{last}", "system": name, "user": "ops"}
    return {
        "address": f"10.0.0.{last}",
        "api": "proxmox",
        "boot_budget": "90s",
        "may_break": {"reboot": CONSENT, "power-cut": CONSENT},
        "out_of_band": {**controller, "password": "env:BMC"},
    }


def _guest(vmid: int, name: str, host: str) -> dict[str, Any]:
    return {
        "vmid": vmid,
        "kind": "qemu",
        "node": host,
        "address": f"10.0.0.{vmid}",
        "mac": f"bc:24:11:00:00:{vmid - 100:02x}",
        "names": [f"{name}.lab.test"],
        "budget": "120s",
    }
