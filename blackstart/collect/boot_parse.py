"""From what the boot script printed to facts: strict, so that a surprise is never a value."""

from __future__ import annotations

import json
import posixpath
from collections.abc import Callable, Mapping
from typing import TypeVar

from blackstart.collect import ip_json, systemd_units, tables
from blackstart.collect.boot_docker import read_engine
from blackstart.collect.boot_script import LINK_DIRECTORIES, SOURCES
from blackstart.collect.host_parse import NotUnderstood, read_failed, read_oom
from blackstart.collect.ifupdown import MAIN, read_interfaces
from blackstart.collect.numbered import Rows, read_files
from blackstart.collect.sections import Answer
from blackstart.model.host_boot import (
    Content,
    CryptLine,
    EmergencyShell,
    HostBootFacts,
    Kernels,
    LastEnd,
)
from blackstart.model.host_docker import DockerFacts
from blackstart.model.host_network import OwnName
from blackstart.model.host_storage import BlockDevice, Room
from blackstart.model.located import Line
from blackstart.model.observed import Observed

T = TypeVar("T")
P = TypeVar("P")
Lines = tuple[str, ...]
Files = Mapping[str, Rows]
_CONTENT: dict[str, Content] = {".": "something", "nothing": "nothing", "lost": "no answer"}
_ENDS: tuple[LastEnd, ...] = ("ordered", "abrupt", "no earlier boot", "nothing kept")
_SURPRISES = (ValueError, KeyError, IndexError, TypeError, AttributeError)
_STUB, _BEHIND_STUB = "/etc/resolv.conf", "/run/systemd/resolve/resolv.conf"
_PINS = ("/etc/kernel/next-boot-pin", "/etc/kernel/proxmox-boot-pin")
_PARTITIONS = "/etc/kernel/proxmox-boot-uuids"


def understand(host: str, answers: Mapping[str, Answer]) -> HostBootFacts:
    """The facts of one host; each that cannot be had says why."""
    reader = _Reader(host, answers)
    files = reader.fact("files", read_files)
    fstab = reader.of_file(files, tables.FSTAB, tables.read_fstab)
    kind = reader.fact("container", _container)
    return HostBootFacts(
        container=kind,
        hosts_file=reader.of_file(files, tables.HOSTS, tables.read_hosts),
        own_name=reader.fact("own_name", _own_name),
        fstab=_part(fstab, lambda found: found[0]),
        misread=_part(fstab, lambda found: found[1]),
        crypttab=reader.crypttab(files),
        mounted=reader.fact("mounted", lambda lines: tuple(tables.read_mounted(lines))),
        content=reader.fact("content", _content),
        devices=reader.fact("devices", _devices),
        links=reader.fact("links", _links),
        rooms=reader.fact("rooms", lambda lines: tuple(map(_room, lines))),
        units=reader.fact("units", systemd_units.read_units),
        unit_files=reader.fact("unit_files", systemd_units.read_unit_files),
        runtime_only=reader.fact("runtime", lambda lines: lines),
        failed=reader.fact("failed", read_failed),
        kernels=reader.kernels(files),
        boot_partitions=reader.of_file(files, _PARTITIONS, _words),
        emergency=reader.emergency(files),
        interfaces=reader.of_all(files, MAIN, read_interfaces),
        staged_network=reader.fact("staged", lambda lines: _yes(lines, "staged", "none")),
        cards=reader.fact("cards", ip_json.read_cards),
        bridging=reader.fact("bridging", ip_json.read_bridging),
        pinned_names=reader.of_all(files, f"{LINK_DIRECTORIES[0]}/*.link", _pinned),
        resolvers=reader.of_all(files, _STUB, _resolvers),
        clock_in_sync=reader.fact("clock", _clock),
        killed=reader.killed(kind),
        last_end=reader.fact("last_end", _last_end),
        crash_records=reader.fact("crashes", lambda lines: lines),
        device_names=reader.fact("device_names", lambda lines: tuple(map(_device_name, lines))),
        listening=reader.fact("listening", _ports),
        controller_device=reader.fact("controller", lambda lines: _yes(lines, "yes", "no")),
        docker=reader.docker(),
    )


class _Reader:
    def __init__(self, host: str, answers: Mapping[str, Answer]) -> None:
        self._host = host
        self._answers = answers

    def fact(self, section: str, understand: Callable[[Lines], T]) -> Observed[T]:
        """One section as a fact."""
        source = f"ssh {self._host}: {SOURCES[section]}"
        answer = self._answers[section]
        if answer.error is not None:
            return Observed(source=source, error=answer.error)
        return _understood(source, lambda: understand(answer.lines))

    def of_file(
        self, files: Observed[Files], path: str, understand: Callable[[Rows], T]
    ) -> Observed[T]:
        """What one file says; a file that is not there says what an empty one says."""
        return self.of_all(files, path, lambda found: understand(found.get(path, ())))

    def of_all(
        self, files: Observed[Files], named: str, understand: Callable[[Files], T]
    ) -> Observed[T]:
        """What several files say together."""
        source = f"ssh {self._host}: {named}"
        if files.value is None:
            return Observed(source=source, error=files.error)
        found = files.value
        return _understood(source, lambda: understand(found))

    def crypttab(self, files: Observed[Files]) -> Observed[tuple[CryptLine, ...]]:
        """Encrypted volumes, and which of their keys are there."""
        keys = self.fact("crypt_keys", frozenset)
        if keys.value is None:
            return Observed(source=keys.source, error=keys.error)
        there = keys.value
        return self.of_file(files, tables.CRYPTTAB, lambda rows: tables.read_crypttab(rows, there))

    def kernels(self, files: Observed[Files]) -> Observed[Kernels]:
        """Kernels on disk, and which of them is pinned."""
        seen = self.fact("kernels", _kernels)
        pinned = self.of_all(files, _PINS[1], _pin)
        if seen.value is None or pinned.value is None:
            return Observed(source=seen.source, error=seen.error or pinned.error)
        kernels = seen.value.model_copy(update={"pinned": pinned.value})
        return Observed(source=seen.source, value=kernels)

    def emergency(self, files: Observed[Files]) -> Observed[EmergencyShell]:
        """Whether somebody can log in when a required mount fails."""
        locked = self.fact("root", lambda lines: _yes(lines, "locked", "open"))
        forced = self.of_all(files, "/etc/systemd/system/emergency.service.d", _forced)
        if locked.value is None or forced.value is None:
            return Observed(source=locked.source, error=locked.error or forced.error)
        shell = EmergencyShell(root_locked=locked.value, forced=forced.value)
        return Observed(source=f"{locked.source}; {forced.source}", value=shell)

    def killed(self, container: Observed[str]) -> Observed[Lines]:
        """Kills for want of memory, and scopes that failed; a container sees no kernel's lines."""
        failures = self.fact("failures", _failures)
        kernels = self.fact("oom", read_oom)
        if container.value:
            return failures
        if failures.value is None or kernels.value is None:
            return kernels if kernels.value is None else failures
        source = f"{kernels.source}; {failures.source}"
        return Observed(source=source, value=(*kernels.value, *failures.value))

    def docker(self) -> Observed[DockerFacts]:
        """The engine, its containers, their definitions."""
        definitions = self._answers["definitions"]
        seen = self.fact("docker", lambda lines: read_engine(lines, definitions.lines))
        if definitions.error is not None:
            return Observed(source=seen.source, error=definitions.error)
        return seen


def _understood(source: str, understand: Callable[[], T]) -> Observed[T]:
    try:
        return Observed(source=source, value=understand())
    except _SURPRISES as error:
        return Observed(source=source, error=f"not understood: {error or type(error).__name__}")


def _part(whole: Observed[T], part: Callable[[T], P]) -> Observed[P]:
    if whole.value is None:
        return Observed(source=whole.source, error=whole.error)
    return Observed(source=whole.source, value=part(whole.value))


def _yes(lines: Lines, yes: str, no: str) -> bool:
    if lines not in ((yes,), (no,)):
        raise NotUnderstood(repr(lines)[:120])
    return lines == (yes,)


def _container(lines: Lines) -> str:
    (line,) = lines
    word, _, kind = line.partition(" ")
    if word != "container":
        raise NotUnderstood(repr(line))
    return kind.strip()


def _own_name(lines: Lines) -> OwnName:
    """The name, then lines of getent(1), one address on up to three of them."""
    name, *rest = lines
    return OwnName(name=name, addresses=tuple(dict.fromkeys(line.split()[0] for line in rest)))


def _content(lines: Lines) -> dict[str, Content]:
    found: dict[str, Content] = {}
    for line in lines:
        said, _, target = line.partition(" ")
        path = tables.unescape(target)
        # Of two mounts at one path the upper one is seen; a look at either is a look at it.
        found[path] = _CONTENT[said]
    return found


def _devices(lines: Lines) -> tuple[BlockDevice, ...]:
    return tuple(
        BlockDevice(
            path=item["path"],
            kind=item["type"],
            transport=item["tran"] or "",
            **{
                name: item[name] or ""
                for name in ("fstype", "uuid", "label", "partuuid", "partlabel")
            },
        )
        for item in json.loads("".join(lines) or '{"blockdevices": []}')["blockdevices"]
    )


def _links(lines: Lines) -> dict[str, str]:
    pairs = (line.partition(" ") for line in lines)
    return {
        path: posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
        for path, _, target in pairs
    }


def _room(line: str) -> Room:
    """``BLOCK-SIZE BLOCKS AVAILABLE INODES INODES-FREE PATH`` of stat(1), ``-f``."""
    block, blocks, free, inodes, inodes_free, path = line.split(" ", 5)
    return Room(
        path=path,
        size=int(block) * int(blocks),
        free=int(block) * int(free),
        inodes=int(inodes),
        inodes_free=int(inodes_free),
    )


def _kernels(lines: Lines) -> Kernels:
    found: dict[str, list[str]] = {"running": [], "image": [], "initrd": [], "modules": []}
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
    )


def _words(rows: Rows) -> Lines:
    return tuple(text.strip() for _, text in rows if text.strip())


def _pin(files: Files) -> str:
    """A pin for the next boot alone comes before the lasting one."""
    return next((words[0] for path in _PINS if (words := _words(files.get(path, ())))), "")


def _forced(files: Files) -> bool:
    return any(
        text == "forced"
        for path, rows in files.items()
        if "/emergency.service.d/" in path
        for _, text in rows
    )


def _pinned(files: Files) -> Lines:
    """Names that a ``.link`` file gives (systemd.link(5))."""
    return tuple(
        value.strip()
        for path, rows in files.items()
        if path.endswith(".link")
        for _, text in rows
        for key, _, value in [text.partition("=")]
        if key.strip() == "Name"
    )


def _resolvers(files: Files) -> Lines:
    """Name servers; those behind systemd-resolved's stub when that is all there is."""
    servers = tables.read_resolvers(files.get(_STUB, ()))
    if servers == ("127.0.0.53",):
        return tables.read_resolvers(files.get(_BEHIND_STUB, ()))
    return servers


def _clock(lines: Lines) -> bool:
    return _yes(lines, "NTPSynchronized=yes", "NTPSynchronized=no")


def _failures(lines: Lines) -> Lines:
    """Of systemd's own lines, those of a kill for memory and of a scope that failed."""
    return tuple(
        line
        for line in lines
        if "OOM killer" in line or "oom-kill" in line or ".scope: Failed" in line
    )


def _last_end(lines: Lines) -> LastEnd:
    (word,) = lines
    return next(end for end in _ENDS if end == word)


def _device_name(line: str) -> Line:
    """``FILE:LINE:MATCH`` of grep(1)."""
    file, number, text = line.split(":", 2)
    return Line(file=file, line=int(number), text=text)


def _ports(lines: Lines) -> tuple[int, ...]:
    return tuple(sorted({int(line, 16) for line in lines}))
