"""Whether what an inventory names is reached, and what is missing where it is not."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from blackstart.model.observed import Record
from blackstart.model.verdict import Verdict, worst


class State(StrEnum):
    """``wrong`` answers, and refuses or shows too little; ``away`` gives no answer; ``closed`` is
    what the owner lets nobody into, which is no fault.
    """

    REACHED = "reached"
    WRONG = "wrong"
    AWAY = "away"
    CLOSED = "closed"


class Reach(Record):
    """One host or API. ``fix`` is a command that mends it, or what a person does."""

    thing: str
    state: State
    said: str
    fix: str = ""


_VERDICTS = {
    State.REACHED: Verdict.PASS,
    State.WRONG: Verdict.FAIL,
    State.AWAY: Verdict.UNPROVEN,
}


def verdict_of(things: Iterable[Reach]) -> Verdict:
    """Fail when anything is wrong, unproven when anything is away or nothing is asked at all."""
    return worst(_VERDICTS[item.state] for item in things if item.state in _VERDICTS)
