"""What a guest's start opens: volumes, files and devices that its configuration names.

qm.conf(5), pct.conf(5). Unused disks (``unused0``) are opened by nobody.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from blackstart.model.observed import Record

_DRIVE = re.compile(r"(ide|sata|scsi|virtio|efidisk|tpmstate|rootfs|mp)[0-9]*")
_DEVICE = re.compile(r"dev[0-9]+")
_STORE = re.compile(r"([A-Za-z][A-Za-z0-9._-]*[A-Za-z0-9]):(.+)")
_FILE_KINDS = ("iso", "snippets", "vztmpl", "import")


class Opened(Record):
    """A volume (``store`` and ``volid``) or a path of the host, and the entry that names it."""

    key: str
    store: str | None
    volid: str
    cdrom: bool = False

    @property
    def is_path(self) -> bool:
        """Whether it is a path of the host itself."""
        return self.store is None

    @property
    def content(self) -> str:
        """The kind of content that its store must be allowed."""
        kind, slash, _ = self.volid.partition(":")[2].partition("/")
        if slash and kind in _FILE_KINDS:
            return kind
        return "rootdir" if re.match(r"(rootfs|mp[0-9]+)$", self.key) else "images"


def properties(text: str, first: str = "") -> dict[str, str]:
    """``local:100/disk.raw,size=1G`` by key; the part without ``=`` is kept as ``first``."""
    found: dict[str, str] = {}
    for part in filter(None, text.split(",")):
        key, equals, value = part.partition("=")
        found[key if equals else first] = value if equals else key
    return found


def pinned_machine(config: Mapping[str, str]) -> str | None:
    """The version of a machine that the guest must have: ``pc-q35-9.0``; without it any will do.

    ``+pve1`` is a revision of the vendor's own, which every later one knows.
    """
    name = properties(config.get("machine", ""), "type").get("type", "").partition("+")[0]
    return name if name.rpartition("-")[2][:1].isdigit() else None


def opened(config: Mapping[str, str]) -> Iterator[Opened]:
    """Everything that the start opens, in the order of the configuration's keys."""
    for key in sorted(config):
        if _DRIVE.fullmatch(key):
            parts = properties(config[key], "volume")
            name = parts.get("volume") or parts.get("file", "")
            yield from _one(key, name, cdrom=parts.get("media") == "cdrom")
        elif _DEVICE.fullmatch(key):
            yield from _one(key, properties(config[key], "path").get("path", ""))
        elif key in ("hookscript", "vmstate"):
            yield from _one(key, config[key])
        elif key == "cicustom":
            for part in properties(config[key]).values():
                yield from _one(key, part)


def _one(key: str, name: str, *, cdrom: bool = False) -> Iterator[Opened]:
    if name in ("", "none", "cdrom"):
        return
    if name.startswith("/"):
        yield Opened(key=key, store=None, volid=name, cdrom=cdrom)
        return
    match = _STORE.fullmatch(name)
    if match:
        yield Opened(key=key, store=match[1], volid=name, cdrom=cdrom)


def boot_order(config: Mapping[str, str]) -> tuple[str, ...]:
    """Devices in the order in which firmware tries them; empty when it is left to a default."""
    named = properties(config.get("boot", ""), "legacy").get("order", "")
    return tuple(filter(None, named.split(";")))


def memory_mib(kind: str, config: Mapping[str, str]) -> tuple[int, int]:
    """Memory in MiB: the least that ballooning leaves a guest, and the most; 512 by default."""
    text = properties(config.get("memory", "512"), "current").get("current", "512")
    most = int(text) if text.isdigit() else 512
    balloon = config.get("balloon", "")
    least = int(balloon) if kind == "qemu" and balloon.isdigit() and int(balloon) else most
    return min(least, most), most
