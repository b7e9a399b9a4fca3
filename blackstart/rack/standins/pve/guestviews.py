"""How a guest appears in lists and in its status."""

from __future__ import annotations

import os
from typing import Any

from .guestconfig import GuestConfig
from .guests import Guest
from .propertystring import parse, size_bytes
from .runtime import Vitals

_PRESSURE = dict.fromkeys(
    (f"pressure{what}{how}" for what in ("cpu", "io", "memory") for how in ("some", "full")), 0
)


def entry(guest: Guest, config: GuestConfig, vitals: Vitals) -> dict[str, Any]:
    """A row of ``/nodes/NODE/qemu`` or ``lxc``."""
    view: dict[str, Any] = {
        "vmid": guest.vmid,
        "name": config.name or f"{guest.kind}{guest.vmid}",
        "status": "running" if vitals.running else "stopped",
        "uptime": vitals.uptime_s,
        "cpu": 0,
        "cpus": _cpus(config),
        "mem": vitals.memory_bytes,
        "maxmem": config.memory_bytes(),
        "disk": 0,
        "maxdisk": _boot_disk_bytes(config),
        "netin": 0,
        "netout": 0,
    }
    view |= {key: config.values[key] for key in ("tags", "lock") if key in config.values}
    if config.values.get("template") == "1":
        view["template"] = 1
    if guest.kind == "qemu":
        view["memhost"] = vitals.memory_bytes
        view |= {"serial": 1} if "serial0" in config.values else {}
    else:
        view |= {"type": "lxc", "swap": 0, "maxswap": _swap_bytes(config)}
    if vitals.running:
        view |= {"pid": vitals.pid, "diskread": 0, "diskwrite": 0} | _PRESSURE
    return view


def current(guest: Guest, config: GuestConfig, vitals: Vitals) -> dict[str, Any]:
    """``status/current``: the row and what is only shown for one guest."""
    view = entry(guest, config, vitals) | {"ha": {"managed": 0}}
    if guest.kind == "lxc":
        return view
    view["qmpstatus"] = view["status"]
    if config.agent:
        view["agent"] = 1
    if vitals.running:
        view["nics"] = {
            f"tap{guest.vmid}i{key[3:]}": {"netin": 0, "netout": 0}
            for key in sorted(config.values)
            if key.startswith("net") and key[3:].isdigit()
        }
    return view


def resource(guest: Guest, stats: dict[str, Any] | None) -> dict[str, Any]:
    """An entry of ``/cluster/resources``: what the node last told, however old."""
    view: dict[str, Any] = {
        "id": f"{guest.kind}/{guest.vmid}",
        "type": guest.kind,
        "node": guest.node,
        "vmid": guest.vmid,
    }
    if stats is None:
        return view | {"status": "unknown"}
    return view | stats


def resource_stats(guest: Guest, config: GuestConfig, vitals: Vitals) -> dict[str, Any]:
    """What a node tells of a guest to the others every ten seconds."""
    row = entry(guest, config, vitals)
    shown = (
        "name",
        "status",
        "uptime",
        "cpu",
        "mem",
        "maxmem",
        "disk",
        "maxdisk",
        "netin",
        "netout",
        "tags",
        "lock",
        "memhost",
    )
    stats = {key: row[key] for key in shown if key in row}
    return stats | {
        "maxcpu": row["cpus"],
        "template": row.get("template", 0),
        "diskread": 0,
        "diskwrite": 0,
    }


def _cpus(config: GuestConfig) -> int:
    if config.kind == "lxc":
        return int(config.values.get("cores", os.cpu_count() or 1))
    return int(config.values.get("cores", "1")) * int(config.values.get("sockets", "1"))


def _swap_bytes(config: GuestConfig) -> int:
    return int(config.values.get("swap", "512")) * 2**20


def boot_disk_key(config: GuestConfig) -> str | None:
    """The key of the disk that the guest boots from, or None."""
    if config.kind == "lxc":
        return "rootfs"
    disks = [drive.key for drive in config.drives() if not drive.cdrom]
    order = parse(config.values.get("boot", ""), "legacy").get("order", "").split(";")
    named = [key for key in order if key in disks]
    plain = [key for key in disks if not key.startswith(("efidisk", "tpmstate"))]
    return next(iter(named + plain), None)


def _boot_disk_bytes(config: GuestConfig) -> int:
    key = boot_disk_key(config)
    for drive in config.drives():
        if drive.key == key:
            return size_bytes(drive.properties.get("size", ""))
    return 0
