"""Precision and recall over all incidents: of the named checks, and of prediction against drill."""

from __future__ import annotations

from collections.abc import Iterable

from blackstart.incident.judging import Outcome
from blackstart.model.observed import Record
from blackstart.model.verdict import Verdict, worst


class Rate(Record):
    """So many of so many; without any there is no share, which is not a full one."""

    of: int
    hits: int

    @property
    def share(self) -> float | None:
        """From 0 to 1."""
        return self.hits / self.of if self.of else None

    def __str__(self) -> str:
        return f"{self.share:.2f} ({self.hits} of {self.of})" if self.of else "none to count"


class Score(Record):
    """All of it. ``unread`` and ``unjudged`` are what was not known: never right, kept apart.

    Of the checks: precision is red and named among all that is red, recall is red among all that
    had to be, unread ones included. Of the prediction: precision is blockers that came true
    among all, recall is failures that were foreseen among all.
    """

    verdict: Verdict
    outcomes: tuple[Outcome, ...]
    missing: tuple[str, ...]
    checks_precision: Rate
    checks_recall: Rate
    unread: int
    prediction_precision: Rate
    prediction_recall: Rate
    unjudged: int


def score(outcomes: Iterable[Outcome], missing: Iterable[str] = ()) -> Score:
    """Add up. ``missing`` are drifts without a record, which leave all of it unproven."""
    every, absent = tuple(outcomes), tuple(missing)
    findings = [item.findings for item in every]
    found = sum(len(item.found) for item in findings)
    right = found + sum(len(item.followed) for item in findings)
    wrong = sum(len(item.wrong) for item in findings)
    missed = sum(len(item.missed) for item in findings)
    unread = sum(len(item.unread) for item in findings)
    told = [item.foresight for item in every if item.foresight is not None]
    true = sum(len(item.came_true) for item in told)
    foreseen = sum(len(item.foreseen) for item in told)
    return Score(
        verdict=worst([*(item.verdict for item in every), *(Verdict.UNPROVEN for _ in absent)]),
        outcomes=every,
        missing=absent,
        checks_precision=Rate(of=right + wrong, hits=right),
        checks_recall=Rate(of=found + missed + unread, hits=found),
        unread=unread,
        prediction_precision=Rate(of=true + sum(len(item.did_not) for item in told), hits=true),
        prediction_recall=Rate(
            of=foreseen + sum(len(item.surprised) for item in told), hits=foreseen
        ),
        unjudged=sum(len(item.unknown) for item in told),
    )
