"""Stores: what ``storage.cfg`` declares, whether each can be used, and what lies in it.

Directory stores only, which is what the rack has; another type is listed and
is never active. Texts as recorded from Proxmox VE 9.1.7.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import Died
from .layout import Layout
from .mounts import (
    FoundFile,
    Space,
    is_networked,
    is_reachable,
    list_files,
    mount_points,
    space,
)
from .sections import Section, read_sections

_SUBDIRECTORY = {
    "images": "images",
    "rootdir": "images",
    "iso": "template/iso",
    "vztmpl": "template/cache",
    "backup": "dump",
    "snippets": "snippets",
}
KINDS = (
    *("btrfs", "cephfs", "cifs", "dir", "esxi", "iscsi", "iscsidirect"),
    *("lvm", "lvmthin", "nfs", "pbs", "rbd", "zfs", "zfspool"),
)
"""Every kind of store that the vendor knows."""
_SWITCHES = ("disable", "shared")
_BACKUP = re.compile(r"vzdump-(qemu|lxc)-(\d+)-[^/]*?\.(tgz|(?:tar|vma)(?:\.(?:gz|lzo|zst|bz2))?)")
_QCOW2_MAGIC = b"QFI\xfb"


@dataclass(frozen=True, slots=True)
class Volume:
    """Something that lies in a store; sizes in bytes, ``ctime`` in seconds since 1970."""

    volid: str
    content: str
    form: str
    size: int
    used: int
    ctime: int
    vmid: int | None


class Storage:
    """All stores, seen from one node."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout

    def declared(self) -> list[Section]:
        """Every store that ``storage.cfg`` declares for this node."""
        return self.declared_for(self._layout.node)

    def declared_for(self, node: str) -> list[Section]:
        """Every store that ``storage.cfg`` declares for a node, disabled ones too."""
        sections = read_sections(self._layout.etc_pve / "storage.cfg")
        return [section for section in sections if _is_on(section, node)]

    def definitions(self) -> list[dict[str, Any]]:
        """Every section of ``storage.cfg``, of all nodes; switches as numbers, lists as text."""
        path = self._layout.etc_pve / "storage.cfg"
        return [
            {
                "storage": section.name,
                "type": section.kind,
                **{
                    key: int(section.switch(key)) if key in _SWITCHES else value
                    for key, value in section.settings.items()
                },
            }
            for section in read_sections(path)
        ]

    def declaration(self, name: str) -> Section:
        """One store; raises ``Died`` when it does not exist, or not on this node."""
        for section in read_sections(self._layout.etc_pve / "storage.cfg"):
            if section.name == name:
                node = self._layout.node
                if not _is_on(section, node):
                    raise Died(f"storage '{name}' is not available on node '{node}'")
                return section
        raise Died(f"storage '{name}' does not exist")

    def activate(self, name: str) -> Section:
        """Make sure that a store can be used; raises ``Died`` with the vendor's reason."""
        section = self.declaration(name)
        if section.switch("disable"):
            raise Died(f"storage '{name}' is disabled")
        problem = self.problem(section)
        if problem:
            raise Died(problem)
        return section

    def problem(self, section: Section) -> str | None:
        """Why an enabled store cannot be used now, or None."""
        unable = f"unable to activate storage '{section.name}'"
        if section.kind != "dir":
            return f"{unable} - type '{section.kind}' is not part of this stand-in"
        points = mount_points(self._layout.mountinfo)
        expected = _expected_mount(section)
        if expected and expected not in points:
            why = "directory is expected to be a mount point but is not mounted"
            return f"{unable} - {why}: '{expected}'"
        path = _root(section)
        if not is_reachable(path, is_networked(path, points)):
            return f"{unable} - directory '{path}' does not exist or is unreachable"
        return None

    def usage(self, section: Section) -> Space | None:
        """Size of an active store, or None for one that is disabled, inactive or hangs."""
        points = mount_points(self._layout.mountinfo)
        expected = _expected_mount(section)
        if section.kind != "dir" or section.switch("disable"):
            return None
        if expected and expected not in points:
            return None
        path = _root(section)
        return space(path, is_networked(path, points))

    def volume_path(self, volid: str) -> Path:
        """Where a volume's file would lie; raises ``Died`` when its store cannot be used."""
        name, _, volume = volid.partition(":")
        section = self.activate(name)
        kind, slash, rest = volume.partition("/")
        if not slash:
            raise Died(f"unable to parse directory volume name '{volume}'")
        if kind.isdigit():
            return _root(section) / "images" / kind / rest
        if kind not in _SUBDIRECTORY:
            raise Died(f"unable to parse directory volume name '{volume}'")
        return _root(section) / _SUBDIRECTORY[kind] / rest

    def require_volume(self, volid: str) -> None:
        """Raise ``Died`` when the volume's store cannot be used or its file is not there."""
        if not self.volume_path(volid).is_file():
            raise Died(f"volume '{volid}' does not exist")

    def volumes(self, name: str) -> Iterator[Volume]:
        """What lies in a store, of the kinds of content it is declared for."""
        section = self.activate(name)
        content = section.words("content")
        if "images" in content or "rootdir" in content:
            for found in list_files(_root(section) / "images"):
                if found.path.count("/") == 1:
                    yield self._image(section, found, content)
        for kind in ("backup", "iso", "vztmpl", "snippets"):
            if kind in content:
                for found in list_files(_root(section) / _SUBDIRECTORY[kind]):
                    volume = _other_volume(name, kind, found)
                    if volume:
                        yield volume

    def _image(self, section: Section, found: FoundFile, content: tuple[str, ...]) -> Volume:
        vmid = found.path.partition("/")[0]
        form = found.path.rpartition(".")[2]
        containers = self._layout.etc_pve.glob(f"nodes/*/lxc/{vmid}.conf")
        kind = "rootdir" if "rootdir" in content and any(containers) else "images"
        size = found.size
        if form == "qcow2":
            size = _qcow2_size(_root(section) / "images" / found.path, found.size)
        return Volume(
            f"{section.name}:{found.path}", kind, form, size, found.used, found.ctime, int(vmid)
        )


def _is_on(section: Section, node: str) -> bool:
    nodes = section.words("nodes")
    return not nodes or node in nodes


def _root(section: Section) -> Path:
    return Path(section.settings.get("path", f"/mnt/pve/{section.name}"))


def _expected_mount(section: Section) -> str | None:
    value = section.settings.get("is_mountpoint", "no")
    if value.startswith("/"):
        return value
    return str(_root(section)) if section.switch("is_mountpoint") else None


def _other_volume(name: str, kind: str, found: FoundFile) -> Volume | None:
    vmid: int | None = None
    form = found.path.rpartition(".")[2]
    if kind == "backup":
        match = _BACKUP.fullmatch(found.path)
        if not match:
            return None  # notes and logs lie beside the archives
        vmid, form = int(match[2]), match[3]
    elif kind == "vztmpl":
        form = "t" + found.path.rpartition(".tar.")[2]
    elif kind == "snippets":
        form = "snippet"
    volid = f"{name}:{kind}/{found.path}"
    return Volume(volid, kind, form, found.size, found.used, found.ctime, vmid)


def _qcow2_size(path: Path, otherwise: int) -> int:
    """Virtual size out of the header (qcow2 specification: bytes 24 to 31, big-endian)."""
    with path.open("rb") as stream:
        header = stream.read(32)
    if header[:4] != _QCOW2_MAGIC:
        return otherwise
    return int.from_bytes(header[24:32], "big")
