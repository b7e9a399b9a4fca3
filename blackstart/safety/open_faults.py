"""What journals say is still broken.

A fault is open from the moment its plan is on disk until it has been closed: reverted,
or certainly not touched, and no dead-man left. Open faults block the next drill.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from blackstart.errors import JournalError
from blackstart.faults.base import PLAN, Plan
from blackstart.safety.journal import BY_HAND, Reading, journals, read

PLANNED = "fault.planned"
CLOSED = "fault.closed"
PUT_BACK = "recover.begin"
"""Where ``blackstart recover`` went on with another process's journal."""


@dataclass(frozen=True, slots=True)
class OpenFault:
    """A fault that nobody has closed; ``plan`` is its undo record."""

    journal: Path
    site: str
    plan: Plan

    def __str__(self) -> str:
        return f"{self.plan.fault} on {self.plan.target} ({self.journal})"


def open_in(reading: Reading) -> tuple[dict[str, Any], ...]:
    """Plans that one journal leaves open, newest first."""
    waiting: list[dict[str, Any]] = []
    for entry in reading.entries:
        if entry.step == PLANNED:
            waiting.append(entry.data["plan"])
        elif entry.step == CLOSED:
            key = (entry.data["fault"], entry.data["target"])
            waiting = [plan for plan in waiting if (plan["fault"], plan["target"]) != key]
    return tuple(reversed(waiting))


@dataclass(frozen=True, slots=True)
class Survey:
    """What journals say: what is open, the newest first; ``unread`` may hide more of it."""

    open: tuple[OpenFault, ...]
    unread: tuple[JournalError, ...]


def survey(drills: Path, site: str) -> Survey:
    """Every open fault of a site below the drills directory; no journal hides another one's.

    Raises ``JournalError`` when the directory itself cannot be read.
    """
    found: list[OpenFault] = []
    unread: list[JournalError] = []
    for path in reversed(list(journals(drills))):
        try:
            found.extend(_open_at(path, site))
        except JournalError as error:
            unread.append(error)
    return Survey(tuple(found), tuple(unread))


def open_faults(drills: Path, site: str) -> tuple[OpenFault, ...]:
    """Every open fault of a site below the drills directory, the newest first.

    Raises ``JournalError`` when a journal is damaged: what it hides may be open.
    """
    found = survey(drills, site)
    if found.unread:
        raise found.unread[0]
    return found.open


def _open_at(path: Path, site: str) -> Iterator[OpenFault]:
    reading = read(path)
    begins = reading.of("drill.begin")
    if not begins and reading.entries:
        raise JournalError(f"{path}: does not begin with drill.begin; {BY_HAND}")
    try:
        ours = bool(begins) and begins[0].data["site"] == site
        waiting = open_in(reading) if ours else ()
    except (KeyError, TypeError) as error:  # whole, and written by another version
        raise JournalError(f"{path}: a step is not understood ({error!r}); {BY_HAND}") from error
    for plan in waiting:
        yield OpenFault(path, site, _plan(path, plan))


def _plan(path: Path, data: dict[str, Any]) -> Plan:
    try:
        return PLAN.validate_python(data)
    except ValidationError as error:
        wrong = error.errors()[0]
        raise JournalError(
            f"{path}: its plan cannot be read ({wrong['loc']}: {wrong['msg']}); {BY_HAND}"
        ) from error
