"""A drill as a tree of steps for a report: its phases, then its promises.

Neutral of who shows it: the running test through Allure's own calls, or a result made up
afterwards for a drill whose process died.
"""

from __future__ import annotations

import csv
import io
from base64 import b64encode
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

from blackstart.evidence import recovery, timeline
from blackstart.evidence.directory import Recorded
from blackstart.evidence.summary import FILE_NAME as SUMMARY
from blackstart.evidence.summary import Summary
from blackstart.model.verdict import Judgement, Verdict, worst
from blackstart.safety.journal import FILE_NAME as JOURNAL
from blackstart.safety.journal import Entry

EPIC = "blackstart"
DRILL_LABEL = "drill"
"""Allure label that holds the name of the drill's directory."""
QUIET = {"phase.begin", "phase.end", "judgement", "differences", "drill.begin", "drill.end"}


@dataclass
class Step:
    """One line of the tree. Times in seconds since the epoch; ``message`` says why not."""

    title: str
    verdict: Verdict
    message: str = ""
    began: float | None = None
    ended: float | None = None
    steps: list[Step] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Exhibit:
    """A file to attach. ``mime`` is its media type."""

    name: str
    path: Path
    mime: str


def promises(summary: Summary) -> list[Step]:
    """A step an invariant, a step a target within it."""
    by_name: dict[str, list[Judgement]] = {}
    for item in summary.invariants:
        by_name.setdefault(item.name, []).append(item)
    return [_promise(name, found) for name, found in by_name.items()]


def _promise(name: str, found: list[Judgement]) -> Step:
    verdict = worst(item.verdict for item in found)
    wrong = [item.target for item in found if item.verdict is not Verdict.PASS]
    return Step(
        title=f"{name}: {len(found) - len(wrong)} of {len(found)} hold",
        verdict=verdict,
        message=f"not held: {', '.join(wrong)}",
        steps=[_judged(item) for item in found],
    )


def _judged(item: Judgement) -> Step:
    held = item.verdict is Verdict.PASS
    return Step(
        title=f"{item.target}: {item.reason}" if held else item.target,
        verdict=item.verdict,
        message=item.reason,
        steps=[Step(line, Verdict.PASS) for line in item.evidence],
    )


def phases(recorded: Recorded) -> list[Step]:
    """A step a phase, with what the journal holds of it; one that did not end is unproven."""
    found: list[Step] = []
    for entry in recorded.own:
        if entry.step == "phase.begin":
            found.append(Step(entry.data["phase"], Verdict.UNPROVEN, began=entry.wall))
            found[-1].message = "the journal does not show its end"
        elif entry.step == "phase.end" and found:
            found[-1].ended = entry.wall
            done = entry.data.get("ended", "done") == "done"
            found[-1].verdict = Verdict.PASS if done else Verdict.UNPROVEN
            found[-1].message = "" if done else entry.data["ended"]
        elif entry.step not in QUIET and found:
            line = Step(_line(entry), Verdict.PASS, began=entry.wall, ended=entry.wall)
            found[-1].steps.append(line)
    for step in found:
        step.ended = step.ended or recorded.last.wall
    return [*found, *_put_back(recorded.put_back)]


def _put_back(entries: tuple[Entry, ...]) -> list[Step]:
    """What another process had to do afterwards."""
    if not entries:
        return []
    held = all(entry.data["holds"] for entry in entries if entry.step == "recover.ended")
    return [
        Step(
            "put back later, by blackstart recover",
            Verdict.PASS if held and entries[-1].step == "recover.ended" else Verdict.UNPROVEN,
            began=entries[0].wall,
            ended=entries[-1].wall,
            steps=[Step(_line(item), Verdict.PASS, began=item.wall) for item in entries],
        )
    ]


def _line(entry: Entry) -> str:
    shown = {key: value for key, value in entry.data.items() if isinstance(value, str | bool)}
    words = [f"{key} {value}" for key, value in shown.items() if value != ""]
    return f"{entry.step}: {', '.join(words)}" if words else entry.step


def exhibits(directory: Path) -> list[Exhibit]:
    """What to attach, in the order in which a person wants it."""
    candidates = (
        ("Timeline: who was down when", f"{timeline.NAME}.png", "image/png"),
        ("Recovery time against budget", f"{recovery.NAME}.png", "image/png"),
        ("Timeline, to zoom in", f"{timeline.NAME}.svg", "image/svg+xml"),
        ("Recovery time, to zoom in", f"{recovery.NAME}.svg", "image/svg+xml"),
        ("Summary", SUMMARY, "application/json"),
        ("Journal", JOURNAL, "text/plain"),
    )
    return [
        Exhibit(name, directory / file, mime)
        for name, file, mime in candidates
        if (directory / file).exists()
    ]


def differences(summary: Summary) -> str | None:
    """What differed afterwards, as CSV; ``None`` when the drill did not look."""
    if not summary.compared:
        return None
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(("path", "before", "after", "class", "tolerated because"))
    for item in summary.differences:
        rows.writerow((item.path, item.before, item.after, item.klass, item.tolerated or ""))
    return text.getvalue()


def description(summary: Summary, directory: Path) -> str:
    """The drill on one page, as HTML with its pictures in it."""
    text = [f"<p><b>{summary.verdict.upper()}</b>: {escape(summary.reason)}</p>"]
    if summary.proof:
        text.append(f"<p>Did the fault bite? {escape(summary.proof)}</p>")
    for name in (timeline.NAME, recovery.NAME):
        picture = directory / f"{name}.png"
        if picture.exists():
            data = b64encode(picture.read_bytes()).decode()
            source = f"data:image/png;base64,{data}"
            text.append(f'<p><img alt="{name}" src="{source}" style="max-width:100%"></p>')
    for title, parts in (("Real", summary.parts.real), ("Stand-ins", summary.parts.stand_in)):
        if parts:
            text.append(f"<p><b>{title}</b>: {escape('; '.join(parts))}</p>")
    return "\n".join(text)
