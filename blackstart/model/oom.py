"""The kernel's own line about whom it killed for want of memory (mm/oom_kill.c)."""

from __future__ import annotations

import re

OOM_KILL = "oom-kill:"
"""What the line begins with that names the control group (from Linux 4.19 on)."""
# A QEMU guest is one process in its scope, a container a tree of groups (Proxmox VE 8 and 9);
# pve-container@ holds the container's monitor.
_GUEST = re.compile(
    r"^/qemu\.slice/(\d+)\.scope(?:/|$)"
    r"|^/lxc(?:\.monitor|\.payload)?/(\d+)(?:/|$)"
    r"|/pve-container@(\d+)\.service(?:/|$)"
)
_GROUP = re.compile(r"oom-kill:\S*,task_memcg=(\S+?),task=")


def killed_guest(line: str) -> int | None:
    """The vmid of the guest whose process was killed; ``None`` when it was no guest's."""
    group = _GROUP.search(line)
    guest = _GUEST.search(group[1]) if group is not None else None
    return next((int(found) for found in guest.groups() if found), None) if guest else None
