"""What earlier drills measured: who was down for how long at most, and who came back when."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from blackstart.errors import JournalError
from blackstart.evidence.summary import FILE_NAME, Summary
from blackstart.model.act import COLD_START, Act
from blackstart.model.observed import Record
from blackstart.safety import journal

REBOOTS = ("reboot", "power-cut")
BOOTS = (COLD_START, "power-cut", "reboot")


class Outage(Record):
    """One thing that was down in a drill, at most ``upper_s`` seconds."""

    name: str
    upper_s: float
    drill: str


class Comeback(Record):
    """When each subject that fell in a drill answered for good: seconds since its power was
    back, or since the injection where none was cut."""

    drill: str
    back_s: dict[str, float]


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


def comebacks_of(site: str, drills: Path) -> tuple[Comeback, ...]:
    """Of every complete drill that made machines of this site boot: cold starts first, then
    power cuts, then reboots, of each the newest first. One that cannot be read is left out.
    """
    found: list[tuple[int, Comeback]] = []
    for file in sorted(drills.glob(f"*/{FILE_NAME}"), reverse=True):
        summary = _read(file)
        if summary is not None and summary.site == site and summary.fault in BOOTS:
            comeback = _comeback(summary, file.parent)
            if comeback is not None:
                found.append((BOOTS.index(summary.fault), comeback))
    return tuple(item for _, item in sorted(found, key=lambda item: item[0]))


def _comeback(summary: Summary, directory: Path) -> Comeback | None:
    injected_at = summary.marks.injected_at
    if not _was_real(summary) or injected_at is None:
        return None
    try:
        entries = journal.read(directory / journal.FILE_NAME)
    except JournalError:
        return None
    held = [entry.data for entry in entries.of("fault.held")]
    planned = [entry.data["plan"] for entry in entries.of("fault.planned")]
    if not held or not planned:
        return None
    back_s: dict[str, float] = {}
    for probe in summary.probes:
        if probe.distrusted is None and probe.outage is not None and probe.recovered_at is not None:
            later_s = planned[0].get("later_s", {}).get(probe.subject, 0.0)
            counted_from = injected_at + held[0].get("withheld_s", 0.0) + later_s
            since_s = round(max(0.0, probe.recovered_at - counted_from), 3)
            back_s[probe.subject] = max(since_s, back_s.get(probe.subject, 0.0))
    return Comeback(drill=summary.id, back_s=back_s) if back_s else None


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
    if not _was_real(summary):
        return False
    if act.node is not None:
        return summary.fault in REBOOTS and summary.targets == (act.node,)
    return act.kind == COLD_START == summary.fault


def _was_real(summary: Summary) -> bool:
    """Whether it came to its end, and its fault bit."""
    return summary.complete and not summary.plan_only and summary.marks.active_at is not None


def _read(file: Path) -> Summary | None:
    """A summary; ``None`` for one that cannot be read, which says nothing."""
    try:
        return Summary.model_validate_json(file.read_bytes())
    except (OSError, ValidationError):
        return None
