"""What an entry of fstab means: is it needed, from whom does it come, which device is it.

Types and options are those of mount(8), systemd.mount(5), nfs(5), mount.cifs(8), mount.ceph(8).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from ipaddress import ip_address

from blackstart.model.host_boot import FstabLine, HostBootFacts
from blackstart.model.host_storage import BlockDevice, Mounted

NETWORK = frozenset(
    {
        *{"nfs", "nfs4", "cifs", "smb3", "smbfs", "ceph", "fuse.ceph", "glusterfs"},
        *{"fuse.glusterfs", "fuse.sshfs", "sshfs", "davfs", "fuse.davfs2", "lustre", "beegfs"},
    }
)
DISK = frozenset(
    {"ext2", "ext3", "ext4", "xfs", "btrfs", "vfat", "f2fs", "jfs", "ntfs", "ntfs3", "exfat"}
)
# Below these, engines mount what comes and goes.
COMES_AND_GOES = ("/proc", "/sys", "/dev", "/run", "/var/lib/docker")
# And these are somebody else's to mount: Proxmox VE's (its stores), Kubernetes', engines'.
_ENGINES = (
    "/etc/pve",
    "/mnt/pve",
    "/var/lib/kubelet",
    "/var/lib/containers",
    "/var/lib/lxc",
    "/snap",
)
_TAGS = {"UUID": "uuid", "LABEL": "label", "PARTUUID": "partuuid", "PARTLABEL": "partlabel"}
# Names that the kernel gives in the order in which it finds disks.
_KERNEL_NAME = re.compile(r"^/dev/(sd[a-z]+|hd[a-z]|x?vd[a-z]+|nvme\d+n\d+|mmcblk\d+)(p?\d+)?$")
_SERVER = re.compile(r"^(?:sshfs#)?(?:[^@/]*@)?(\[[^]]+\]|[^:/\[\]]+)(?::|$)")
_SHARE = re.compile(r"^(?://|\\\\)([^/\\]+)")
# The driver of the newer type mounts the older ones as well (ext4(5)).
_SAME = {
    "ext4": {"ext2", "ext3", "ext4"},
    "ntfs3": {"ntfs"},
    "ntfs-3g": {"ntfs"},
    "fuseblk": {"ntfs", "exfat"},
    "msdos": {"vfat"},
}


def is_network(fstype: str) -> bool:
    """Whether a server is behind a file system of this type."""
    return fstype in NETWORK


def is_swap(line: FstabLine) -> bool:
    """Whether it is swap space and no file system."""
    return line.fstype == "swap"


def at_boot(line: FstabLine) -> bool:
    """Whether it is to be there after a boot, by itself or once somebody looks."""
    return "noauto" not in line.options or on_demand(line)


def on_demand(line: FstabLine) -> bool:
    """Whether it is mounted at the first look (``x-systemd.automount``)."""
    return "x-systemd.automount" in line.options


def is_required(line: FstabLine) -> bool:
    """Whether a boot fails, or waits in the emergency shell, without it."""
    return at_boot(line) and not on_demand(line) and "nofail" not in line.options


def servers(line: FstabLine) -> tuple[str, ...]:
    """Addresses or names of a network mount's servers; empty when they cannot be told."""
    match = _SHARE.match(line.spec)
    if match:
        return (match[1],)
    if line.fstype in ("ceph", "fuse.ceph"):
        given = [item for item in line.options if item.startswith("mon_addr=")]
        monitors = given[0].partition("=")[2] if given else line.spec.rpartition(":/")[0]
        return tuple(_without_port(part) for part in re.split("[,/]", monitors) if part)
    if line.fstype.endswith("glusterfs"):
        return tuple(part for part in line.spec.rpartition(":/")[0].split(",") if part)
    found = _SERVER.match(line.spec)
    return (found[1].strip("[]"),) if found else ()


def _without_port(text: str) -> str:
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.partition(":")[0]


def is_address(text: str) -> bool:
    """Whether no resolver is needed for it."""
    try:
        ip_address(text.partition("%")[0])
    except ValueError:
        return False
    return True


def is_kernel_name(spec: str) -> bool:
    """Whether it names a disk by the order in which the kernel found it (/dev/sdb1)."""
    return _KERNEL_NAME.match(spec) is not None


def names_a_device(line: FstabLine) -> bool:
    """Whether its source is a block device, by whatever name."""
    if "bind" in line.options or "rbind" in line.options or is_network(line.fstype):
        return False
    return line.spec.startswith("/dev/") or line.spec.partition("=")[0] in _TAGS


def device(spec: str, facts: HostBootFacts) -> BlockDevice | None:
    """The block device that a source names now; ``None`` when there is none.

    To be asked only where ``devices`` and ``links`` are known.
    """
    devices = facts.devices.value or ()
    tag, _, wanted = spec.partition("=")
    if tag in _TAGS:
        found = (item for item in devices if _tag(item, tag).lower() == wanted.lower() != "")
        return next(found, None)
    links = facts.links.value or {}
    # Of a logical volume both names are links: /dev/VG/LV and /dev/mapper/VG-LV.
    real = links.get(spec, spec)
    return next((item for item in devices if links.get(item.path, item.path) == real), None)


def _tag(item: BlockDevice, tag: str) -> str:
    return str(getattr(item, _TAGS[tag]))


def same_type(declared: str, real: str) -> bool:
    """Whether a file system of the real type mounts when declared as the other."""
    return any(
        kind in ("auto", real) or real in _SAME.get(kind, ()) for kind in declared.split(",")
    )


def on_top(mounted: Iterable[Mounted], path: str) -> Mounted | None:
    """What is seen at a path: of several mounts there, the last."""
    return next((item for item in reversed([*mounted]) if item.target == path), None)


def is_lasting(item: Mounted) -> bool:
    """Whether somebody must mount it again after a boot: a disk's or a server's file system."""
    owned = (*COMES_AND_GOES, *_ENGINES)
    theirs = any(f"{item.target}/".startswith(f"{directory}/") for directory in owned)
    return not theirs and item.target != "/" and (item.fstype in DISK or is_network(item.fstype))
