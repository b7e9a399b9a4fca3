"""Incidents for a person: which there are, and how well their outages were foreseen.

A line a drift, so that ``grep`` finds it; legible without colour.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from blackstart.incident.foreseeing import Foresight
from blackstart.incident.judging import Outcome
from blackstart.incident.loading import Case
from blackstart.incident.scoring import Score
from blackstart.model.quantities import format_duration
from blackstart.model.verdict import Verdict

_STYLES = {Verdict.PASS: "green", Verdict.FAIL: "bold red", Verdict.UNPROVEN: "bold yellow"}
_WORDS = {Verdict.PASS: "as expected", Verdict.FAIL: "OTHERWISE", Verdict.UNPROVEN: "UNPROVEN"}
COLUMNS = ("", "incident", "drift", "decision", "red", "wrong", "unread", "foreseen", "took")
LABEL_WIDTH = 14


def listed(cases: Iterable[Case]) -> list[Mapping[str, Any]]:
    """What each drift is, as plain data."""
    return [
        {
            "incident": case.incident,
            "drift": case.name,
            "changes": case.drift.changes,
            "before": case.drift.before,
            "decision": case.drift.decision,
            "red": [f"{claim.check} [{claim.target}]" for claim in case.drift.red],
            "drill": case.drift.drill.scenario if case.drift.drill else None,
            "predict_only": case.drift.predict_only,
        }
        for case in cases
    ]


def show_list(console: Console, cases: Iterable[Case]) -> None:
    """Print each drift with what proves it, in two lines."""
    for item in listed(cases):
        console.print(
            Text(f"{item['incident']} {item['drift']}: {item['changes']}"), soft_wrap=True
        )
        how = item["drill"] or f"predict only, {item['predict_only']}"
        if not item["red"] and item["drill"] is None and item["predict_only"] is None:
            how = "harmless"
        told = f"    before {item['before']}: {item['decision']}; {how}"
        console.print(Text(told), soft_wrap=True)


def show(console: Console, score: Score) -> None:
    """Print the table, then what was not as expected, then precision and recall."""
    console.print(table(score.outcomes))
    for label, text, style in lines(score):
        console.print(
            Text.assemble(Text(f"{label:<{LABEL_WIDTH}}", style=style), text), soft_wrap=True
        )


def table(outcomes: Iterable[Outcome]) -> Table:
    """One row a drift."""
    found = Table(box=None, pad_edge=False)
    for name in COLUMNS:
        found.add_column(name, overflow="fold")
    for item in outcomes:
        verdict = Text(_WORDS[item.verdict], style=_STYLES[item.verdict])
        findings = item.findings
        had_to = len(findings.found) + len(findings.missed) + len(findings.unread)
        found.add_row(
            verdict,
            item.incident,
            item.drift,
            item.decision or "none",
            f"{len(findings.found)}/{had_to}",
            str(len(findings.wrong)),
            str(len(findings.unread)),
            _foreseen(item.foresight),
            format_duration(item.took_s),
        )
    return found


def _foreseen(told: Foresight | None) -> str:
    if told is None:
        return "no drill"
    lost = len(told.foreseen) + len(told.surprised)
    return f"{len(told.foreseen)}/{lost}"


def lines(score: Score) -> Iterator[tuple[str, str, str]]:
    """Label, text and style of all that stands below the table."""
    for item in score.outcomes:
        for reason in item.reasons:
            yield "otherwise", f"{item.incident} {item.drift}: {reason}", _STYLES[Verdict.FAIL]
        for gap in item.gaps:
            yield "unproven", f"{item.incident} {item.drift}: {gap}", _STYLES[Verdict.UNPROVEN]
    for name in score.missing:
        yield "not replayed", name, _STYLES[Verdict.UNPROVEN]
    yield (
        "checks",
        f"precision {score.checks_precision}, recall {score.checks_recall}, "
        f"{score.unread} could not be read",
        "",
    )
    yield (
        "prediction",
        f"precision {score.prediction_precision}, recall {score.prediction_recall}, "
        f"{score.unjudged} promises that the drills could not judge",
        "",
    )
    took = format_duration(sum(item.took_s for item in score.outcomes))
    yield "took", f"{took} for {len(score.outcomes)} drifts, resets apart", ""
