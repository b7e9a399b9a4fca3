"""``pct``: LXC containers of this node."""

from __future__ import annotations

from ..guests import Guest
from ..node import Node
from ..runtime import STOPPED
from .guestcommand import Options, run

_ROW = "{:<10} {:<10} {:<12} {:<20}"


def main(arguments: list[str]) -> int:
    """Entry point of ``pct``."""
    return run("lxc", "pct", {"list": _list}, arguments)


def _list(node: Node, _guest: Guest, _options: Options) -> None:
    vitals = node.runtime.vitals()
    found = list(node.guests.configs(node.name, "lxc"))
    if found:
        print(_ROW.format("VMID", "Status", "Lock", "Name"))
    for guest, config in found:
        status = "running" if vitals.get(guest.vmid, STOPPED).running else "stopped"
        lock = config.values.get("lock", "")
        print(_ROW.format(guest.vmid, status, lock, config.name or f"CT{guest.vmid}"))
