"""What is reached and what is not, for a person and as JSON: the decision first, a line a thing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from blackstart.model.reach import Reach, State, verdict_of
from blackstart.model.verdict import Verdict

LABEL_WIDTH = 10
_ORDER = (State.WRONG, State.AWAY, State.CLOSED, State.REACHED)
_COUNTED = {
    State.WRONG: "wrong or refused",
    State.AWAY: "not reached",
    State.CLOSED: "closed by the inventory",
    State.REACHED: "reached",
}
_STYLES = {
    State.WRONG: "bold red",
    State.AWAY: "bold yellow",
    State.CLOSED: "",
    State.REACHED: "green",
}
_DECIDED = {
    Verdict.PASS: "bold green",
    Verdict.FAIL: "bold red",
    Verdict.UNPROVEN: "bold yellow",
}
Line = tuple[str, str, str]
"""The word to find it by, the text, the style."""


def document(site: str, taken_at: str, things: Sequence[Reach]) -> Mapping[str, Any]:
    """All of it as plain data."""
    return {
        "site": site,
        "taken_at": taken_at,
        "verdict": verdict_of(things).value,
        "things": [item.model_dump(mode="json") for item in in_order(things)],
    }


def in_order(things: Sequence[Reach]) -> tuple[Reach, ...]:
    """What must be mended first."""
    return tuple(sorted(things, key=lambda item: _ORDER.index(item.state)))


def show(console: Console, site: str, things: Sequence[Reach]) -> None:
    """Print it, no line folded: a command is copied whole."""
    for label, text, style in lines(site, things):
        begin = Text(f"{label:<{LABEL_WIDTH}}", style=style)
        console.print(Text.assemble(begin, text), soft_wrap=True)


def lines(site: str, things: Sequence[Reach]) -> Iterator[Line]:
    """What to print, in order."""
    verdict = verdict_of(things)
    numbers = {state: sum(item.state is state for item in things) for state in _ORDER}
    counted = ", ".join(f"{numbers[state]} {_COUNTED[state]}" for state in _ORDER if numbers[state])
    yield verdict.value.upper(), f"{site}: {counted or 'nothing is declared'}", _DECIDED[verdict]
    for item in in_order(things):
        yield item.state.value, f"{item.thing}: {item.said}", _STYLES[item.state]
        if item.fix:
            yield "", f"  fix: {item.fix}", ""
    good = verdict is Verdict.PASS
    then = "blackstart verify --inventory FILE" if good else "mend what is above, then ask again"
    yield "next", then, ""
