"""What journals say is still broken.

A fault is open from the moment its plan is on disk until it has been closed: reverted,
or certainly not touched, and no dead-man left. Open faults block the next drill.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from blackstart.errors import JournalError
from blackstart.faults.base import PLAN, Plan
from blackstart.safety.journal import Reading, journals, read

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


def open_faults(drills: Path, site: str) -> tuple[OpenFault, ...]:
    """Every open fault of a site below the drills directory, the newest first.

    Raises ``JournalError`` when a journal is damaged: what it hides may be open.
    """
    found: list[OpenFault] = []
    for path in reversed(list(journals(drills))):
        reading = read(path)
        begins = reading.of("drill.begin")
        if not begins and reading.entries:
            raise JournalError(f"{path}: does not begin with drill.begin; look at it, then move it")
        if begins and begins[0].data["site"] == site:
            found.extend(OpenFault(path, site, _plan(path, plan)) for plan in open_in(reading))
    return tuple(found)


def _plan(path: Path, data: dict[str, Any]) -> Plan:
    try:
        return PLAN.validate_python(data)
    except ValidationError as error:
        wrong = error.errors()[0]
        raise JournalError(
            f"{path}: its plan cannot be read ({wrong['loc']}: {wrong['msg']}); put the fault "
            "back by hand with the rescue commands in it, then move the journal away"
        ) from error
