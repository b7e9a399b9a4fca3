"""Declared guests and the driver for them, as the tests of the Proxmox driver need them."""

from __future__ import annotations

from ipaddress import IPv4Address
from typing import Any

from blackstart.drivers.clock import SystemClock
from blackstart.drivers.proxmox import ProxmoxGuests
from blackstart.drivers.proxmox_api import ProxmoxApi
from blackstart.model.inventory import Guest

from .captures import data
from .tls_server import Reply

BASE = "GET /api2/json"
VM = f"{BASE}/nodes/pve1/qemu/100"


def guest(vmid: int = 100, kind: str = "qemu", node: str = "pve1") -> Guest:
    """A declared guest."""
    return Guest.model_validate(
        {
            "vmid": vmid,
            "kind": kind,
            "node": node,
            "address": IPv4Address("10.98.0.50"),
            "mac": "bc:24:11:75:39:4c",
        }
    )


def guests(api: ProxmoxApi, **declared: Guest) -> ProxmoxGuests:
    """The driver for some declared guests."""
    return ProxmoxGuests(api, declared, SystemClock())


def resources(*entries: dict[str, Any]) -> Reply:
    """``cluster/resources`` with pve1 online and these entries."""
    return data([{"type": "node", "node": "pve1", "status": "online"}, *entries])
