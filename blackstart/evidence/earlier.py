"""What earlier drills measured: who was down, and for how long at most."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from blackstart.evidence.summary import FILE_NAME, Summary
from blackstart.model.act import COLD_START, Act
from blackstart.model.observed import Record

REBOOTS = ("reboot", "power-cut")


class Outage(Record):
    """One thing that was down in a drill, at most ``upper_s`` seconds."""

    name: str
    upper_s: float
    drill: str


def outages_of(act: Act | None, site: str, drills: Path) -> tuple[Outage, ...]:
    """Of the newest complete drill of this act on this site; empty when there is none.

    A reboot's figures come from a graceful reboot or a power cut of that node, a cold
    start's from one. Of an upgrade nothing is on record.
    """
    if act is None:
        return ()
    for file in sorted(drills.glob(f"*/{FILE_NAME}"), reverse=True):
        summary = _read(file)
        if summary is not None and summary.site == site and _is_of(summary, act):
            return _longest(summary)
    return ()


def _longest(summary: Summary) -> tuple[Outage, ...]:
    """Each subject by the probe that missed it for longest."""
    longest: dict[str, float] = {}
    for probe in summary.probes:
        if probe.outage is not None and probe.outage.upper_s is not None:
            upper_s = max(probe.outage.upper_s, longest.get(probe.subject, 0.0))
            longest[probe.subject] = upper_s
    return tuple(
        Outage(name=name, upper_s=upper_s, drill=summary.id) for name, upper_s in longest.items()
    )


def _is_of(summary: Summary, act: Act) -> bool:
    if not summary.complete or summary.plan_only or summary.marks.active_at is None:
        return False
    if act.node is not None:
        return summary.fault in REBOOTS and summary.targets == (act.node,)
    return act.kind == COLD_START == summary.fault


def _read(file: Path) -> Summary | None:
    """A summary; ``None`` for one that cannot be read, which says nothing."""
    try:
        return Summary.model_validate_json(file.read_bytes())
    except (OSError, ValidationError):
        return None
