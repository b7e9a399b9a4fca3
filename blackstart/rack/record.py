"""The run-time record: which rack runs on this host, whose it is, what belongs to it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from blackstart.rack.errors import RackError
from blackstart.rack.home import RUNTIME, Home

POLL_S = 0.05


@dataclass(frozen=True, slots=True)
class Process:
    """A process by id and start time (clock ticks since boot), so that ids are not mixed up."""

    pid: int
    started: int

    @classmethod
    def of(cls, pid: int) -> Process | None:
        """The process that has this id now, ``None`` when there is none (or a zombie)."""
        try:
            stat = Path(f"/proc/{pid}/stat").read_text()
        except (FileNotFoundError, ProcessLookupError):
            return None
        fields = stat.rpartition(")")[2].split()
        return None if fields[0] == "Z" else cls(pid, int(fields[19]))

    @property
    def alive(self) -> bool:
        """Whether this very process still runs."""
        return Process.of(self.pid) == self

    def end(self, grace: float) -> None:
        """SIGTERM, then SIGKILL after ``grace`` seconds; returns when it is gone.

        Raises `RackError` when it outlives SIGKILL by 10 s.
        """
        for sign, limit in ((signal.SIGTERM, grace), (signal.SIGKILL, 10.0)):
            if not self.alive:
                return
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, sign)
            deadline = time.monotonic() + limit
            while self.alive and time.monotonic() < deadline:
                time.sleep(POLL_S)
        if self.alive:
            raise RackError(f"process {self.pid} does not end", "see what it waits for: ps -l")


@dataclass(frozen=True, slots=True)
class Record:
    """One rack on this host. ``phase`` is ``starting`` until all machines are ready."""

    topology: str
    clone: str
    home: str
    phase: Literal["starting", "ready", "not ready"]
    controller: Process | None = None

    @property
    def alive(self) -> bool:
        """Whether its controller still runs."""
        return self.controller is not None and self.controller.alive

    def write(self) -> None:
        """Put the record on disk, all or nothing."""
        RUNTIME.mkdir(mode=0o755, exist_ok=True)
        partial = _path().with_suffix(".partial")
        partial.write_text(json.dumps(asdict(self), indent=1))
        partial.replace(_path())

    def files(self) -> Home:
        """The rack's home."""
        return Home(Path(self.home))


def _path() -> Path:
    return RUNTIME / "rack.json"


def read() -> Record | None:
    """The record of this host's rack; ``None`` when there is none or it is unreadable."""
    try:
        fields = json.loads(_path().read_text())
        held = fields.pop("controller")
        return Record(**fields, controller=Process(**held) if held else None)
    except (FileNotFoundError, ValueError, TypeError, KeyError):
        return None


def note_machine(name: str, pid: int) -> None:
    """Remember a machine's QEMU process, for the case that the controller is killed."""
    process = Process.of(pid)
    if process is not None:
        (RUNTIME / f"{name}.pid").write_text(json.dumps(asdict(process)))


def noted_machines() -> list[Process]:
    """All QEMU processes that were noted, dead ones included."""
    found = []
    for path in RUNTIME.glob("*.pid"):
        with contextlib.suppress(ValueError, TypeError):
            found.append(Process(**json.loads(path.read_text())))
    return found
