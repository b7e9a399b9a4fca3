"""From what the host script printed to facts: strict, so that a surprise is never a value."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

from blackstart.collect.host_script import BOOT_BANNER, MOST_OOM_LINES, SOURCES
from blackstart.collect.sections import Answer
from blackstart.model.facts import HostFacts, Mount, Observed, unread

_STATES = {
    "initializing", "starting", "running", "degraded", "maintenance", "stopping", "offline",
}  # fmt: skip
_ADDRESS = re.compile(r"^(\d{1,3}(?:\.\d{1,3}){3})(?:/\d{1,2})?$")
_OCTAL = re.compile(r"\\([0-7]{3})")

T = TypeVar("T")
Lines = tuple[str, ...]


class NotUnderstood(ValueError):
    """A section printed what its command never prints; the text shows it."""


@dataclass(frozen=True, slots=True)
class HostReading:
    """A host's facts, and the cluster's votes as this host counts them (votequorum(5))."""

    facts: HostFacts
    votes: Observed[int]
    quorum: Observed[int]


def understand(host: str, answers: Mapping[str, Answer]) -> HostReading:
    """The facts of one host; each that cannot be had says why."""
    reader = _Reader(host, answers)
    return HostReading(
        facts=HostFacts(
            boot_id=reader.fact("boot_id", _boot_id),
            uptime_s=reader.fact("uptime", _uptime),
            kernel=reader.fact("kernel", _one_word),
            system_state=reader.fact("state", _state),
            failed_units=reader.fact("failed", read_failed),
            mounts=reader.fact("mounts", _mounts),
            addresses=reader.fact("addresses", _addresses),
            memory_available_kib=reader.fact("memory", _memory),
            oom_lines=reader.fact("oom", read_oom),
        ),
        votes=reader.fact("quorum", lambda lines: _count(lines, "Total votes")),
        quorum=reader.fact("quorum", lambda lines: _count(lines, "Quorum")),
    )


def mounts_of(host: str, answer: Answer) -> Observed[tuple[Mount, ...]]:
    """The mounts of a host that was asked for nothing else."""
    return _Reader(host, {"mounts": answer}).fact("mounts", _mounts)


def nothing_read(host: str, error: str) -> HostReading:
    """The reading of a host that did not answer: the error everywhere."""
    source = f"ssh {host}"
    return HostReading(
        facts=unread(HostFacts, source, error),
        votes=Observed(source=source, error=error),
        quorum=Observed(source=source, error=error),
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
        try:
            return Observed(source=source, value=understand(answer.lines))
        except NotUnderstood as error:
            return Observed(source=source, error=f"not understood: {error}")


def _one_word(lines: Lines) -> str:
    if len(lines) != 1 or len(lines[0].split()) != 1:
        raise NotUnderstood(repr(lines)[:120])
    return lines[0]


def _boot_id(lines: Lines) -> str:
    word = _one_word(lines)
    try:
        return str(UUID(word))
    except ValueError:
        raise NotUnderstood(repr(word)) from None


def _uptime(lines: Lines) -> float:
    try:
        return float(lines[0].split()[0])
    except (IndexError, ValueError):
        raise NotUnderstood(repr(lines)[:120]) from None


def _state(lines: Lines) -> str:
    word = _one_word(lines)
    if word not in _STATES:
        raise NotUnderstood(repr(word))
    return word


def read_failed(lines: Lines) -> Lines:
    """First column of ``UNIT LOAD ACTIVE SUB DESCRIPTION``."""
    units = []
    for line in lines:
        fields = line.split()
        if len(fields) < 4 or fields[2] != "failed" or "." not in fields[0]:
            raise NotUnderstood(repr(line))
        units.append(fields[0])
    return tuple(sorted(units))


def _memory(lines: Lines) -> int:
    for line in lines:
        match line.split():
            case ["MemAvailable:", amount, "kB"] if amount.isdigit():
                return int(amount)
    raise NotUnderstood("no MemAvailable")


def _addresses(lines: Lines) -> dict[str, tuple[str, ...]]:
    """IPv4 addresses by interface, without the loopback and without a tunnel's far end."""
    found: dict[str, tuple[str, ...]] = {}
    for line in lines:
        name, *fields = line.replace(" peer ", " peer=").split()
        if not fields:
            raise NotUnderstood(repr(line))
        addresses = [match[1] for field in fields[1:] if (match := _ADDRESS.match(field))]
        name = name.split("@")[0]
        if name != "lo":
            found[name] = tuple(sorted({*found.get(name, ()), *addresses}))
    return found


def _mounts(lines: Lines) -> tuple[Mount, ...]:
    """``ANSWERS FSTYPE SOURCE TARGET``, with the octal escapes of proc_pid_mounts(5)."""
    found = []
    for line in lines:
        fields = [_OCTAL.sub(lambda match: chr(int(match[1], 8)), part) for part in line.split(" ")]
        if len(fields) != 4 or fields[0] not in ("yes", "no") or not fields[3].startswith("/"):
            raise NotUnderstood(repr(line))
        answers, fstype, source, target = fields
        found.append(Mount(source=source, target=target, fstype=fstype, answers=answers == "yes"))
    if not found:
        raise NotUnderstood("not even a root file system")
    return tuple(sorted(found, key=lambda mount: (mount.target, mount.source)))


def read_oom(lines: Lines) -> Lines:
    """The kernel's own lines, newest last; a journal that does not reach back proves nothing."""
    if not lines:
        raise NotUnderstood("the journal has no kernel lines of this boot")
    return tuple(line for line in lines if BOOT_BANNER not in line)[-MOST_OOM_LINES:]


def _count(lines: Lines, what: str) -> int:
    """``Total votes: 3`` or ``Quorum: 2 Activity blocked`` of corosync-quorumtool(8)."""
    for line in lines:
        name, colon, rest = line.partition(":")
        if colon and name.strip() == what and rest.split()[:1] and rest.split()[0].isdigit():
            return int(rest.split()[0])
    raise NotUnderstood(f"no {what} in {' '.join(lines)[:80]!r}")
