"""Single answers of the boot script, taken apart: each raises ``ValueError``, ``KeyError`` or
the like on what its command never prints."""

from __future__ import annotations

import json
import posixpath
from collections.abc import Mapping

from blackstart.collect import tables
from blackstart.collect.host_parse import NotUnderstood
from blackstart.collect.numbered import Rows
from blackstart.model.host_boot import ClusterFile, Content, Kernels, LastEnd
from blackstart.model.host_network import OwnName
from blackstart.model.host_storage import BlockDevice, Room
from blackstart.model.located import Line

Lines = tuple[str, ...]
Files = Mapping[str, Rows]
STUB, _BEHIND_STUB = "/etc/resolv.conf", "/run/systemd/resolve/resolv.conf"
PINS = ("/etc/kernel/next-boot-pin", "/etc/kernel/proxmox-boot-pin")
_CONTENT: dict[str, Content] = {".": "something", "nothing": "nothing", "lost": "no answer"}
_CLUSTER_FILE: dict[str, ClusterFile] = {
    "none": "none",
    "alone": "alone",
    "same": "same",
    "differs": "differs",
}
_ENDS: dict[str, LastEnd] = {
    "ordered": "ordered",
    "abrupt": "abrupt",
    "no earlier boot": "no earlier boot",
    "nothing kept": "nothing kept",
}


def either(lines: Lines, yes: str, no: str) -> bool:
    """Whether the only line is ``yes``; the other one is ``no``."""
    if lines not in ((yes,), (no,)):
        raise NotUnderstood(repr(lines)[:120])
    return lines == (yes,)


def read_container(lines: Lines) -> str:
    """Kind of container, empty for none."""
    (line,) = lines
    word, _, kind = line.partition(" ")
    if word != "container":
        raise NotUnderstood(repr(line))
    return kind.strip()


def read_own_name(lines: Lines) -> OwnName:
    """The name, then lines of getent(1), one address on up to three of them."""
    name, *rest = lines
    return OwnName(name=name, addresses=tuple(dict.fromkeys(line.split()[0] for line in rest)))


def read_content(lines: Lines) -> dict[str, Content]:
    """What a look into each mount found; of two at one path only the upper one is seen."""
    found: dict[str, Content] = {}
    for line in lines:
        said, _, target = line.partition(" ")
        path = tables.unescape(target)
        found[path] = _CONTENT[said]
    return found


def read_devices(lines: Lines) -> tuple[BlockDevice, ...]:
    """What lsblk(8) prints as JSON."""
    return tuple(
        BlockDevice(
            path=item["path"],
            kind=item["type"] or "",
            transport=item["tran"] or "",
            **{
                name: item[name] or ""
                for name in ("fstype", "uuid", "label", "partuuid", "partlabel")
            },
        )
        for item in json.loads("".join(lines) or '{"blockdevices": []}')["blockdevices"]
    )


def read_links(lines: Lines) -> dict[str, str]:
    """Links below /dev and what they lead to, as whole paths."""
    pairs = (line.partition(" ") for line in lines)
    return {
        path: posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
        for path, _, target in pairs
    }


def read_room(line: str) -> Room:
    """``BLOCK-SIZE BLOCKS AVAILABLE INODES INODES-FREE PATH`` of stat(1), ``-f``."""
    block, blocks, free, inodes, inodes_free, path = line.split(" ", 5)
    return Room(
        path=path,
        size=int(block) * int(blocks),
        free=int(block) * int(free),
        inodes=int(inodes),
        inodes_free=int(inodes_free),
    )


def read_kernels(lines: Lines) -> Kernels:
    """Kernels on disk and the one that runs; what is pinned is not said here."""
    kinds = ("running", "image", "initrd", "modules", "firmware")
    found: dict[str, list[str]] = {kind: [] for kind in kinds}
    for line in lines:
        kind, _, release = line.partition(" ")
        found[kind].append(release)
    (running,) = found["running"]
    return Kernels(
        running=running,
        images=tuple(sorted(found["image"])),
        initrds=tuple(sorted(found["initrd"])),
        modules=tuple(sorted(found["modules"])),
        pinned="",
        firmware=tuple(sorted(found["firmware"])),
    )


def read_words(rows: Rows) -> Lines:
    """The lines of a file that are not empty."""
    return tuple(text.strip() for _, text in rows if text.strip())


def read_pin(files: Files) -> str:
    """A pin for the next boot alone comes before the lasting one."""
    return next((words[0] for path in PINS if (words := read_words(files.get(path, ())))), "")


def read_forced(files: Files) -> bool:
    """Whether the emergency shell asks for no password."""
    return any(
        text == "forced"
        for path, rows in files.items()
        if "/emergency.service.d/" in path
        for _, text in rows
    )


def read_pinned(files: Files) -> Lines:
    """Names that a ``.link`` file gives (systemd.link(5))."""
    return tuple(
        value.strip()
        for path, rows in files.items()
        if path.endswith(".link")
        for _, text in rows
        for key, _, value in [text.partition("=")]
        if key.strip() == "Name"
    )


def read_resolvers(files: Files) -> Lines:
    """Name servers; those behind systemd-resolved's stub when that is all there is."""
    servers = tables.read_resolvers(files.get(STUB, ()))
    if servers == ("127.0.0.53",):
        return tables.read_resolvers(files.get(_BEHIND_STUB, ()))
    return servers


def read_clock(lines: Lines) -> bool:
    """Whether the clock is in sync (timedatectl(1))."""
    return either(lines, "NTPSynchronized=yes", "NTPSynchronized=no")


def read_failures(lines: Lines) -> Lines:
    """Of systemd's own lines, those of a kill for memory and of a scope that failed."""
    return tuple(
        line
        for line in lines
        if "OOM killer" in line or "oom-kill" in line or ".scope: Failed" in line
    )


def read_count(lines: Lines) -> int:
    """How often something happened."""
    (amount,) = lines
    return int(amount)


def read_last_end(lines: Lines) -> LastEnd:
    """How the boot before this one ended, in the script's own words."""
    (word,) = lines
    return _ENDS[word]


def read_cluster_file(lines: Lines) -> ClusterFile:
    """How the two files compare, in the script's own words."""
    (word,) = lines
    return _CLUSTER_FILE[word]


def read_device_name(line: str) -> Line:
    """``FILE:LINE:MATCH`` of grep(1)."""
    file, number, text = line.split(":", 2)
    return Line(file=file, line=int(number), text=text)


def read_ports(lines: Lines) -> tuple[int, ...]:
    """Ports that something listens on, from their hexadecimal."""
    return tuple(sorted({int(line, 16) for line in lines}))
