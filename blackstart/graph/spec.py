"""What a line of fstab(5) asks of the boot: whose server it names, and whether it is waited for."""

from __future__ import annotations

from ipaddress import ip_address
from posixpath import normpath

from blackstart.model.host_boot import FstabLine

NETWORKED = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "glusterfs", "ceph", "fuse.sshfs", "fuse.glusterfs"}
)
"""Types with a server elsewhere (systemd counts the same as networked: mount(8), ``_netdev``)."""


def server_of(spec: str, fstype: str) -> str | None:
    """Address or name of the server that an entry names; ``None`` for a local one.

    ``HOST:/export`` (nfs(5)), ``[v6]:/export``, ``//HOST/share`` (mount.cifs(8)),
    ``USER@HOST:/path`` (sshfs(1)); of several servers the first.
    """
    if fstype not in NETWORKED:
        return None
    if spec.startswith("//"):
        return spec[2:].partition("/")[0] or None
    if spec.startswith("["):
        return spec[1:].partition("]")[0] or None
    host = spec.partition(":")[0].rpartition("@")[2]
    return host.partition(",")[0] or None


def is_address(server: str) -> bool:
    """Whether a server is named by address, so that nobody need resolve it."""
    try:
        ip_address(server)
    except ValueError:
        return False
    return True


def is_mounted_at_boot(line: FstabLine) -> bool:
    """Not ``noauto``, not swap, not ``none``."""
    return "noauto" not in line.options and line.fstype != "swap" and line.path.startswith("/")


def is_waited_for(line: FstabLine) -> bool:
    """Whether the boot fails or waits without it.

    Not with ``nofail``, nor where only the first access mounts it, nor with ``bg``, of which
    systemd makes ``nofail`` (systemd.mount(5), systemd.automount(5)).
    """
    return not {"nofail", "bg", "x-systemd.automount"} & set(line.options)


def below(path: str, top: str) -> bool:
    """Whether a path is ``top`` or lies below it."""
    path, top = normpath(path), normpath(top)
    return path == top or path.startswith(top.rstrip("/") + "/")


def lies_on(path: str, tops: list[str]) -> str | None:
    """The mount, of ``tops``, on which a path lies: the longest one, the root file system apart."""
    found = [top for top in tops if normpath(top) != "/" and below(path, top)]
    return max(found, key=lambda top: len(normpath(top)), default=None)


def written(host: str, line: FstabLine) -> str:
    """An entry as evidence cites it: host, file, line, and what stands there."""
    options = ",".join(line.options)
    return f"{host}:{line.where}: {line.spec} {line.path} {line.fstype} {options}"
