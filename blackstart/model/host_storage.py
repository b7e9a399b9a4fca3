"""Disks and file systems of one host, as its kernel shows them now."""

from __future__ import annotations

from blackstart.model.observed import Record


class Mounted(Record):
    """One line of ``/proc/self/mounts``, its octal escapes undone; the last one is on top."""

    source: str
    target: str
    fstype: str
    options: tuple[str, ...]


class BlockDevice(Record):
    """One line of lsblk(8); what it does not know is empty.

    ``kind`` is ``disk``, ``part``, ``lvm``, ``crypt`` ...; ``transport`` of a disk is such as
    ``sata``, ``nvme`` or ``virtio``.
    """

    path: str
    kind: str
    fstype: str
    uuid: str
    label: str
    partuuid: str
    partlabel: str
    transport: str


class Room(Record):
    """How much of a file system is free. Bytes, and inodes (0 where it has no fixed number)."""

    path: str
    size: int
    free: int
    inodes: int
    inodes_free: int
