"""The drill in ten lines, for a person at 23:00: the decision first.

A line a subject, each beginning with its own word, so that ``grep`` finds it; legible
without colour (no-color.org); nothing is wrapped where nobody looks (no terminal).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.text import Text

from blackstart.errors import BlackstartError
from blackstart.evidence.recovered import GuestRecovery
from blackstart.evidence.summary import Summary, summarise
from blackstart.model.quantities import format_duration
from blackstart.model.verdict import Verdict

MOST_BLOCKERS = 5
MOST_NAMES = 12
LABEL_WIDTH = 10
COLOURS = {Verdict.PASS: "bold green", Verdict.FAIL: "bold red", Verdict.UNPROVEN: "bold yellow"}


@dataclass(frozen=True, slots=True)
class Line:
    """One line: the word to find it by, and the rest."""

    label: str
    text: str
    style: str = ""


def lines(summary: Summary, directory: Path) -> Iterator[Line]:
    """What to print of a drill, in order."""
    verdict = summary.verdict
    took = format_duration(summary.duration_s)
    headline = f"{summary.scenario} on {summary.site} in {took}: {_decision(summary)}"
    yield Line(verdict.upper(), headline, COLOURS[verdict])
    done = "" if summary.marks.injected_at is not None else ", not carried out"
    yield Line("did", f"{summary.fault} {', '.join(summary.targets)}, begun {summary.begun}{done}")
    if summary.marks.injected_at is not None:
        bitten = "yes" if summary.marks.active_at is not None else "not proven"
        yield Line("bit", f"{bitten}: {summary.proof or 'no proof was recorded'}")
    yield from _blockers(summary)
    yield from _held(summary)
    if summary.marks.injected_at is not None:
        yield Line("guests", _guests(summary))
        yield Line("outages", _outages(summary))
        yield Line("changed", _changed(summary))
    if summary.parts.stand_in:
        yield Line("stand-ins", ", ".join(summary.parts.stand_in))
    yield Line("evidence", f"{directory} (Allure: reports/html/index.html)")
    yield Line("next", _next(summary))


def _decision(summary: Summary) -> str:
    if summary.verdict is Verdict.PASS:
        return f"all {len(summary.invariants)} judgements hold"
    if summary.refused:
        return "refused, nothing was touched"
    if not summary.complete or not summary.invariants:
        return summary.reason
    failed = len(summary.of_verdict(Verdict.FAIL))
    unproven = len(summary.of_verdict(Verdict.UNPROVEN))
    parts = [f"{failed} failed"] * bool(failed) + [f"{unproven} unproven"] * bool(unproven)
    return f"{', '.join(parts) or 'nothing proven'} of {len(summary.invariants)} judgements"


def _blockers(summary: Summary) -> Iterator[Line]:
    for reason in summary.refused[:MOST_BLOCKERS]:
        yield Line("refused", reason, COLOURS[Verdict.UNPROVEN])
    if len(summary.refused) > MOST_BLOCKERS:
        more = len(summary.refused) - MOST_BLOCKERS
        yield Line("more", f"{more} guards refuse as well: summary.json")
    wrong = [*summary.of_verdict(Verdict.FAIL), *summary.of_verdict(Verdict.UNPROVEN)]
    for item in wrong[:MOST_BLOCKERS]:
        text = f"{item.name} [{item.target}]: {item.reason}"
        yield Line(item.verdict.value, text, COLOURS[item.verdict])
    if len(wrong) > MOST_BLOCKERS:
        yield Line("more", f"{len(wrong) - MOST_BLOCKERS} judgements are no pass: summary.json")
    for fault in summary.open_faults:
        yield Line("open", f"{fault}: not proven reverted, blocks the next drill", "bold red")


def _held(summary: Summary) -> Iterator[Line]:
    wrong = {item.name for item in summary.invariants if item.verdict is not Verdict.PASS}
    counts: dict[str, int] = {}
    for item in summary.of_verdict(Verdict.PASS):
        if item.name not in wrong:
            counts[item.name] = counts.get(item.name, 0) + 1
    if counts:
        yield Line("holds", ", ".join(f"{name} ({count})" for name, count in counts.items()))


def _guests(summary: Summary) -> str:
    fell = [guest for guest in summary.guests if guest.recovery_s is not None]
    unknown = [guest for guest in summary.guests if guest.within is None and guest not in fell]
    stayed = len(summary.guests) - len(fell) - len(unknown)
    fine = sum(1 for guest in fell if guest.within)
    text = (
        f"{fine} of {len(fell)} that fell are back in budget" if fell else "none was seen to fall"
    )
    text += f", {stayed} stayed up" if stayed else ""
    text += f", {len(unknown)} not measured" if unknown else ""
    return _listed(text, [f"{guest.guest} {_recovery(guest)}" for guest in fell])


def _listed(text: str, parts: list[str]) -> str:
    more = len(parts) - MOST_NAMES
    shown = parts[:MOST_NAMES] + ([f"and {more} more"] if more > 0 else [])
    return f"{text}: {', '.join(shown)}" if shown else text


def _recovery(guest: GuestRecovery) -> str:
    budget = format_duration(guest.budget_s)
    if guest.recovery_s is None or guest.recovery_s.upper_s is None:
        return f"not back (budget {budget})"
    mark = "" if guest.within else f" ({guest.note})"
    return f"≤{format_duration(guest.recovery_s.upper_s)} of {budget}{mark}"


def _outages(summary: Summary) -> str:
    fell = [item for item in summary.probes if item.outage is not None]
    distrusted = [item for item in summary.probes if item.distrusted is not None]
    parts = [
        f"{item.probe} not back"
        if item.outage is None or item.outage.upper_s is None
        else f"{item.probe} ≤{format_duration(item.outage.upper_s)}"
        for item in fell
    ]
    parts += [f"{item.probe} unproven ({item.distrusted})" for item in distrusted]
    if not summary.probes:
        return "no samples were saved"
    return _listed(f"{len(fell)} of {len(summary.probes)} probes", parts)


def _changed(summary: Summary) -> str:
    if not summary.compared:
        return "not looked at: the drill did not get that far"
    undeclared = [
        item for item in summary.differences if item.klass != "expected" and item.tolerated is None
    ]
    if not undeclared:
        return f"nothing undeclared ({len(summary.differences)} expected or tolerated)"
    shown = "; ".join(
        f"{item.path}: {item.before} -> {item.after}" for item in undeclared[:MOST_BLOCKERS]
    )
    return f"{len(undeclared)} undeclared: {shown}"


def _next(summary: Summary) -> str:
    if summary.rescue and (summary.open_faults or summary.verdict is Verdict.FAIL):
        return summary.rescue[0]
    if summary.plan_only:
        return "the same command without --plan"
    if summary.refused:
        return "remove the reason, then the same command again"
    if summary.verdict is Verdict.PASS:
        return "blackstart drill --all"
    return f"blackstart drill '{summary.test}'"


def show(console: Console, summary: Summary, directory: Path) -> None:
    """Print it. Wrapped under its label on a terminal, one line each elsewhere."""
    plain = not console.encoding.lower().startswith("utf")
    for line in lines(summary, directory):
        body = line.text.replace("≤", "<=") if plain else line.text
        text = Text(f"{line.label:<{LABEL_WIDTH}}", style=line.style or "bold")
        if not console.is_terminal:
            console.print(Text.assemble(text, body), soft_wrap=True)
            continue
        room = max(console.width - LABEL_WIDTH, 20)
        for number, part in enumerate(Text(body).wrap(console, room)):
            part.rstrip()
            label = text if number == 0 else Text(" " * LABEL_WIDTH)
            console.print(Text.assemble(label, part), soft_wrap=True)


@dataclass(frozen=True)
class TerminalSummary:
    """Observer of drills that prints the ten lines at the end of each."""

    console: Console

    def phase_begin(self, phase: str, detail: str) -> None:
        """Nothing: only the end counts here."""

    def phase_end(self, phase: str, detail: str) -> None:
        """Nothing: only the end counts here."""

    def note(self, text: str) -> None:
        """Nothing: only the end counts here."""

    def drill_end(self, directory: Path) -> None:
        """Print the drill; an unreadable journal is said, never raised."""
        try:
            show(self.console, summarise(directory), directory)
        except BlackstartError as error:
            self.console.print(f"no summary: {error}", style="bold red", soft_wrap=True)
