"""What a cold start would be like, for a person at 23:00, and the same as JSON.

The decision first, each cycle with the lines that make it one and its fix; then the order of
starts, what takes longest, what takes down what.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from blackstart.evidence.boot_words import by_when, kind_of, title
from blackstart.evidence.decision import LABEL_WIDTH, MOST
from blackstart.graph.cycles import Cycle
from blackstart.graph.failures import Shared
from blackstart.graph.outlook import Outlook
from blackstart.model.boot_graph import LinkKind, PartKind
from blackstart.model.quantities import format_duration
from blackstart.model.verdict import Verdict

_WORDS = {
    Verdict.PASS: ("GO", "bold green"),
    Verdict.FAIL: ("NO-GO", "bold red"),
    Verdict.UNPROVEN: ("UNPROVEN", "bold yellow"),
}
Line = tuple[str, str, str]
"""The word to find it by, the text, the style."""


def show(console: Console, told: Outlook, *, everything: bool) -> None:
    """Print it; ``everything`` also what is beyond the first five of a kind."""
    for label, text, style in lines(told, None if everything else MOST):
        begin = Text(f"{label:<{LABEL_WIDTH}}", style=style)
        console.print(Text.assemble(begin, text), soft_wrap=True)


def lines(told: Outlook, most: int | None) -> Iterator[Line]:
    """What to print, in order; at most ``most`` of a kind."""
    word, style = _WORDS[told.verdict]
    yield word, _headline(told), style
    for cycle in told.cycles:
        yield from _cycle(told, cycle)
    yield from _never(told, most)
    for gap in _first("unseen", [str(gap) for gap in told.graph.unknown], most):
        yield (*gap, "bold yellow")
    for label, text in (*_order(told), *_turns(told), *_path(told)):
        yield label, text, ""
    taken = [_takes(told, item.part, item.takes, item.groups) for item in told.failures]
    for label, text in _first("single", taken, most):
        yield label, text, ""
    for pair in told.pairs:
        yield "pairs", _pair(told, pair), "" if pair.starts and not pair.domains else "bold yellow"
    yield "times", _times(told), ""
    yield "next", _next(told), ""


def _headline(told: Outlook) -> str:
    parts = len(told.graph.parts)
    counted = [
        f"{len(told.cycles)} cycle{'s' * (len(told.cycles) > 1)}" * bool(told.cycles),
        f"{len(told.never)} would not start" * bool(told.never),
        f"{len(told.graph.unknown)} not seen" * bool(told.graph.unknown),
        f"{parts} parts, {len(told.graph.links)} links",
    ]
    return f"cold start of {told.graph.site}: {', '.join(filter(None, counted))}"


def _cycle(told: Outlook, cycle: Cycle) -> Iterator[Line]:
    first, *others = [_title(told, part) for part in cycle.parts]
    chain = ", that for ".join([*reversed(others), first])
    yield "cycle", f"{first} {kind_of(cycle)}: for {chain}", "bold red"
    for line in cycle.evidence:
        yield "", f"  because {line}", ""
    yield "", f"  fix: {cycle.fix}", ""


def _never(told: Outlook, most: int | None) -> Iterator[Line]:
    for part in told.graph.parts:
        if part.never is not None:
            said = f"{title(part)}: {part.never} ({'; '.join(part.evidence)})"
            yield "off", said, "bold red"
    if told.never:
        shown = told.never[:most]
        more = f" and {len(told.never) - len(shown)} more" * (len(told.never) > len(shown))
        yield "never", f"{', '.join(_title(told, part) for part in shown)}{more}", "bold red"


def _order(told: Outlook) -> Iterator[tuple[str, str]]:
    label = "order"
    for stage in told.prediction.stages():
        last = max(stage.parts, key=lambda item: item.at_s)
        names = ", ".join(_title(told, item.part) for item in stage.parts)
        when = by_when(last)
        yield label, f"{stage.number}. {names}{f' ({when})' if when else ''}"
        label = ""


def _turns(told: Outlook) -> Iterator[tuple[str, str]]:
    """The guests of each host, in the order of their starts, with the delays between them."""
    after = {link.before: link for link in told.graph.links if link.kind is LinkKind.AFTER}
    later = {link.after for link in after.values()}
    for part in told.graph.parts:
        if part.kind is not PartKind.START or part.id in later or part.id not in after:
            continue
        words, turn = [part.label], part.id
        while turn in after:
            link = after[turn]
            pause = f" +{format_duration(link.delay_s)}" if link.delay_s else ""
            turn = link.after
            words.append(f"{pause} > {told.graph.by_id[turn].label}")
        yield "turns", f"{part.host}: {''.join(words)}"


def _path(told: Outlook) -> Iterator[tuple[str, str]]:
    """What comes last, and what it waits for; an instant only where one is reached."""
    steps: list[str] = []
    reached_s = 0.0
    for item in told.path:
        when = f" {by_when(item)}" if item.at_s > reached_s else ""
        steps.append(f"{_title(told, item.part)}{when}")
        reached_s = item.at_s
    if steps:
        yield "path", f"last of all: {' > '.join(steps)}"


def _takes(told: Outlook, part: str, takes: Sequence[str], groups: Sequence[str]) -> str:
    names = ", ".join(_title(told, other) for other in takes[:MOST])
    more = f" and {len(takes) - MOST} more" if len(takes) > MOST else ""
    lost = f"; leaves too few of {', '.join(groups)}" if groups else ""
    return f"{_title(told, part)} takes along {len(takes)}: {names}{more}{lost}"


def _pair(told: Outlook, pair: Shared) -> str:
    who = f"{pair.name} (any {pair.needed} of {', '.join(pair.members)})"
    if not pair.starts:
        return f"{who} would not start at all"
    if not pair.domains:
        return f"{who} have nothing in common while they run"
    domains = "; ".join(
        f"{_title(told, item.part)} takes {', '.join(item.takes)}" for item in pair.domains
    )
    return f"{who} have in common while they run: {domains}"


def _times(told: Outlook) -> str:
    drills = sorted({own.drill for own in told.prediction.own.values()})
    if not drills:
        return "from declared delays alone: no drill that booted a machine is on record here"
    return f"since power is back, as measured by {', '.join(drills)}"


def _next(told: Outlook) -> str:
    if told.verdict is Verdict.FAIL:
        return "mend it, then look again; --svg OUT draws it"
    if told.verdict is Verdict.UNPROVEN:
        return "let it be seen (blackstart verify says which grant shows it), then look again"
    return "a drill proves it: pytest scenarios/test_cold_start.py --inventory FILE --plan"


def _first(label: str, texts: Sequence[str], most: int | None) -> Iterator[tuple[str, str]]:
    yield from ((label, text) for text in texts[:most])
    if most is not None and len(texts) > most:
        yield "more", f"{len(texts) - most} more of these: --all"


def _title(told: Outlook, part: str) -> str:
    return title(told.graph.by_id[part])


def document(told: Outlook) -> Mapping[str, Any]:
    """All of it as plain data."""
    return {
        "site": told.graph.site,
        "decision": _WORDS[told.verdict][0].lower(),
        "cycles": [
            {
                "kind": "deadlock" if cycle.deadlock else "too early",
                "parts": cycle.parts,
                "evidence": cycle.evidence,
                "fix": cycle.fix,
            }
            for cycle in told.cycles
        ],
        "never": told.never,
        **told.graph.model_dump(mode="json", include={"parts", "links", "unknown"}),
        "stages": [stage.model_dump(mode="json") for stage in told.prediction.stages()],
        "critical_path": [item.model_dump(mode="json") for item in told.path],
        "own_times": {
            part: own.model_dump(mode="json") for part, own in told.prediction.own.items()
        },
        "failures": [item.model_dump(mode="json") for item in told.failures],
        "pairs": [item.model_dump(mode="json") for item in told.pairs],
    }
