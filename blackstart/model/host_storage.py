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


class Array(Record):
    """One array of ``/proc/mdstat`` (md(4)): ``active`` or not, and its disks where it has spare.

    ``failed`` is whether the kernel has thrown a disk out; without counts it has no redundancy.
    """

    name: str
    state: str
    failed: bool
    disks: int | None = None
    present: int | None = None


class Dataset(Record):
    """A ZFS dataset with a key of its own (zfsprops(7), ``keylocation``).

    ``key_there`` is whether its file is there; nobody has to be asked for it then.
    """

    name: str
    key: str
    key_there: bool


class Exports(Record):
    """Directories that an NFS server gives out now, and those that ``/etc/exports`` names."""

    now: tuple[str, ...]
    written: tuple[str, ...]
