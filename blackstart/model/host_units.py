"""Units of one host's systemd, as it would start them at the next boot."""

from __future__ import annotations

from blackstart.model.observed import Record

NEEDED_UNITS = (
    *("pve-cluster.service", "pvedaemon.service", "pveproxy.service", "pvestatd.service"),
    *("pve-guests.service", "pvescheduler.service", "corosync.service", "ssh.service"),
    *("sshd.service", "networking.service", "docker.service", "k3s.service", "k3s-agent.service"),
    *("nfs-server.service", "named.service", "libvirtd.service", "virtqemud.service"),
)
"""Without these a host of its kind is of no use; who masks one means to unmask it."""
ALWAYS_THERE = "systemd-journald.service"
"""No systemd without it: an answer that lacks it is none."""
ZFS_IMPORTS = ("zfs-import-cache.service", "zfs-import-scan.service")
ZFS_MOUNTS = "zfs-mount.service"
UNIT_FILES = (
    *(ALWAYS_THERE, "docker.socket", "clevis-luks-askpass.path"),
    *(*ZFS_IMPORTS, ZFS_MOUNTS, *NEEDED_UNITS),
)
"""Whose unit files are asked for, and of no other: to find the state of all took half of the
whole look at a host."""


class Unit(Record):
    """One loaded unit (systemctl(1), show).

    ``enabled`` is ``UnitFileState``. ``wanted_by`` are the units that start it when they start,
    ``triggered_by`` those that start it when they are asked for (sockets, timers, paths).
    ``file`` is empty when no file defines it, ``source`` is what that was made from, such as
    ``/etc/fstab``. ``where`` is a mount's path, ``stale`` whether its file has changed since
    systemd read it.
    """

    name: str
    load: str
    active: str
    sub: str
    enabled: str
    file: str
    source: str
    where: str
    stale: bool
    wanted_by: tuple[str, ...]
    triggered_by: tuple[str, ...]
