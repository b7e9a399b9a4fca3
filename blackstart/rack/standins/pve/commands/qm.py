"""``qm``: QEMU guests of this node."""

from __future__ import annotations

import json
import sys

from ..guestnetwork import agent_interfaces, require_agent
from ..guests import Guest
from ..guestviews import entry
from ..node import Node
from ..runtime import STOPPED
from .guestcommand import Options, run

_ROW = "{:>10} {:<20} {:<10} {:<10} {:>12} {:<10}"


def main(arguments: list[str]) -> int:
    """Entry point of ``qm``."""
    return run("qemu", "qm", {"list": _list, "agent": _agent}, arguments)


def _list(node: Node, _guest: Guest, _options: Options) -> None:
    vitals = node.runtime.vitals()
    rows = [
        entry(guest, config, vitals.get(guest.vmid, STOPPED))
        for guest, config in node.guests.configs(node.name, "qemu")
    ]
    if rows:
        print(_ROW.format("VMID", "NAME", "STATUS", "MEM(MB)", "BOOTDISK(GB)", "PID"))
    for row in rows:
        memory_mib, disk_gib = row["maxmem"] // 2**20, f"{row['maxdisk'] / 2**30:.2f}"
        pid = row.get("pid") or 0
        print(_ROW.format(row["vmid"], row["name"], row["status"], memory_mib, disk_gib, pid))


def _agent(node: Node, guest: Guest, options: Options) -> None:
    require_agent(node, guest)
    if options.request == "network-get-interfaces":
        answer = agent_interfaces(node.runtime.interfaces(guest.vmid))
        json.dump(answer, sys.stdout, indent=3, sort_keys=True, separators=(",", " : "))
        print()
