"""The journal of a drill: append-only, fsynced, hash-chained. It is the truth.

One JSON object a line: ``seq``, ``wall`` (seconds since the epoch), ``at`` (seconds
on the drill's monotonic clock), ``step``, ``data``, ``prev`` (SHA-256 of the previous
line) and ``hash``. A torn last line (power lost while writing) is reported and does not
hide what came before: krkn's and etcd's lessons on evidence that survives a crash.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from blackstart.drivers.base import Clock
from blackstart.errors import JournalError

GENESIS = "0" * 64
FILE_NAME = "journal.jsonl"
BY_HAND = (
    "put back by hand what it left, with the rescue commands in it, then move it away from here"
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a journal."""

    seq: int
    wall: float
    at: float
    step: str
    data: dict[str, Any]
    hash: str


@dataclass(frozen=True, slots=True)
class Reading:
    """A journal as read back; ``torn`` when its last line was cut short."""

    entries: tuple[Entry, ...]
    torn: bool

    def of(self, step: str) -> tuple[Entry, ...]:
        """All entries of one step, in order."""
        return tuple(entry for entry in self.entries if entry.step == step)


def _digest(prev: str, body: str) -> str:
    return hashlib.sha256(f"{prev}{body}".encode()).hexdigest()


def _sync_directory(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class Journal:
    """Writer of one drill's journal. Every ``write`` is on disk when it returns."""

    def __init__(self, directory: Path, clock: Clock) -> None:
        """Raises ``JournalError`` where none can be written, or one is there and damaged."""
        self.path = directory / FILE_NAME
        self._clock = clock
        self._prev = GENESIS
        self._seq = 0
        try:
            directory.mkdir(parents=True, exist_ok=True)
            if self.path.exists():
                self._resume()
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
            self._fd = os.open(self.path, flags, 0o644)
            _sync_directory(directory)
        except OSError as error:
            raise JournalError(f"cannot write {self.path}: {error.strerror}") from error

    def _resume(self) -> None:
        reading = read(self.path)
        if reading.torn:
            whole = self.path.read_bytes()
            os.truncate(self.path, whole.rindex(b"\n") + 1 if b"\n" in whole else 0)
        if reading.entries:
            self._prev = reading.entries[-1].hash
            self._seq = reading.entries[-1].seq + 1

    def write(self, step: str, **data: Any) -> Entry:
        """Append one step and fsync it. Raises ``JournalError`` when the disk refuses."""
        body = {
            "seq": self._seq,
            "wall": round(self._clock.wall(), 3),
            "at": round(self._clock.monotonic(), 3),
            "step": step,
            "data": data,
        }
        text = json.dumps(body, sort_keys=True, default=str)
        digest = _digest(self._prev, text)
        line = json.dumps({**body, "prev": self._prev, "hash": digest}, sort_keys=True, default=str)
        try:
            os.write(self._fd, f"{line}\n".encode())
            os.fsync(self._fd)
        except OSError as error:
            raise JournalError(f"cannot write {self.path}: {error}") from error
        self._prev = digest
        self._seq += 1
        return Entry(body["seq"], body["wall"], body["at"], step, data, digest)  # type: ignore[arg-type]

    def close(self) -> None:
        """Release the file; writing afterwards is an error."""
        os.close(self._fd)


def read(path: Path) -> Reading:
    """Read a journal and verify its chain.

    Raises ``JournalError`` when a line before the last is damaged or the chain is broken.
    """
    entries: list[Entry] = []
    prev = GENESIS
    try:
        if path.exists() and not path.is_file():  # reading a pipe would wait for ever
            raise JournalError(f"{path}: this is no file; look what it is, then move it away")
        lines = path.read_bytes().split(b"\n")
    except OSError as error:
        raise JournalError(f"cannot read {path}: {error.strerror}; {BY_HAND}") from error
    tail = lines.pop()
    for number, line in enumerate(lines, start=1):
        entry = _parse(line, prev)
        if entry is None:
            raise JournalError(
                f"{path}:{number}: damaged or altered, the chain breaks here; {BY_HAND}"
            )
        entries.append(entry)
        prev = entry.hash
    return Reading(tuple(entries), torn=bool(tail))


def _parse(line: bytes, prev: str) -> Entry | None:
    try:
        record = json.loads(line)
        digest = record.pop("hash")
        if record.pop("prev") != prev:
            return None
        if _digest(prev, json.dumps(record, sort_keys=True)) != digest:
            return None
        return Entry(hash=digest, **record)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def journals(root: Path) -> Iterator[Path]:
    """Every journal below the drills directory, oldest first, whatever stands in its place.

    Raises ``JournalError`` when the directory cannot be read; none is there before a first drill.
    """
    try:
        drills = sorted(root.iterdir())
    except FileNotFoundError:
        return iter(())
    except OSError as error:
        raise JournalError(f"cannot look for journals in {root}: {error.strerror}") from error
    return (drill / FILE_NAME for drill in drills if os.path.lexists(drill / FILE_NAME))
