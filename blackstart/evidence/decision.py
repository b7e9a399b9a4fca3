"""Go or no-go for a person at 23:00, and the same as JSON.

The decision first, at most five blockers each with its fix under it, then what could not be
seen. A line a finding, greppable and legible without colour.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.text import Text

from blackstart.evidence.earlier import Outage
from blackstart.model.applicability import DECLARED
from blackstart.model.closed import GRANT, closed_hosts
from blackstart.model.finding import Decision, Finding
from blackstart.model.quantities import format_duration
from blackstart.model.verdict import Verdict

MOST = 5
LABEL_WIDTH = 10
_STYLES = {Verdict.PASS: "bold green", Verdict.FAIL: "bold red", Verdict.UNPROVEN: "bold yellow"}
Line = tuple[str, str, str]
"""The word to find it by, the text, the style."""


def document(
    decision: Decision,
    findings: Sequence[Finding],
    site: str,
    taken_at: str,
    own_checks: str | None = None,
) -> Mapping[str, Any]:
    """All of it as plain data, each finding numbered as ``blackstart explain`` counts."""
    accepted = {item.finding.key: item for item in decision.accepted}
    return {
        "site": site,
        "act": decision.act,
        "taken_at": taken_at,
        "decision": decision.word,
        "own_checks": own_checks,
        "findings": [
            _plain(number, item)
            | (
                {"accepted": {"reason": kept.reason, "until": kept.until.isoformat()}}
                if (kept := accepted.get(item.key)) and item.verdict is not Verdict.PASS
                else {}
            )
            for number, item in enumerate(findings, 1)
        ],
    }


def in_order(decision: Decision, found: Sequence[Finding]) -> tuple[Finding, ...]:
    """Findings as they are numbered: what forbids the act, what was not seen, what is wrong,
    what the owner accepts; then what holds."""
    wrong = [*decision.blockers, *decision.unseen, *decision.warnings]
    wrong += [item.finding for item in decision.accepted]
    wrong += decision.elsewhere
    return (*wrong, *(item for item in found if item.verdict is Verdict.PASS))


def explained(finding: Mapping[str, Any], taken_at: str) -> Iterator[tuple[str, str]]:
    """One finding of a document whole, a line a subject."""
    yield finding["verdict"].upper(), f"{finding['check']} [{finding['target']}], {taken_at}"
    yield "claim", finding["claim"]
    for key in ("problem", "fix", "incident", "not_applicable"):
        if finding.get(key):
            yield key.replace("not_applicable", "n/a"), finding[key]
    for item in finding["evidence"]:
        yield "evidence", item
    cost = "something would not start" if finding["blocks_boot"] else finding["breaks"]
    yield "breaks", f"{cost} ({finding['severity']})"
    if "accepted" in finding:
        kept = finding["accepted"]
        yield "accepted", f"until {kept['until']}: {kept['reason']}"


def _plain(number: int, finding: Finding) -> dict[str, Any]:
    return {
        "number": number,
        **finding.model_dump(mode="json", exclude_none=True),
        "blocks_boot": finding.blocks_boot,
        "incident": finding.incident,
    }


@dataclass(frozen=True, slots=True)
class Told:
    """What a person is told: the decision, its findings as numbered, how long what was down.

    ``new`` are the keys that were not wrong last time, ``None`` the first time. ``own_checks`` is
    where the owner's own checks lie, if they were used: then nothing else was looked for.
    """

    decision: Decision
    findings: tuple[Finding, ...]
    site: str
    outages: tuple[Outage, ...]
    new: frozenset[tuple[str, str]] | None
    own_checks: str | None = None


def show(console: Console, told: Told, *, everything: bool) -> None:
    """Print it; ``everything`` also what is beyond the first five of a kind."""
    for label, text, style in lines(told, None if everything else MOST):
        begin = Text(f"{label:<{LABEL_WIDTH}}", style=style)
        console.print(Text.assemble(begin, text), soft_wrap=True)


def lines(told: Told, most: int | None) -> Iterator[Line]:
    """What to print, in order; at most ``most`` findings of a kind."""
    decision = told.decision
    numbers = {item.key: number for number, item in enumerate(told.findings, 1)}
    yield decision.word.upper(), _headline(decision, told.site), _STYLES[decision.verdict]
    if told.own_checks is not None:
        text = f"those of {told.own_checks} alone, and none of blackstart's own"
        yield "checks", text, _STYLES[Verdict.UNPROVEN]
    closed = _behind_closed_doors(decision.unseen) if most is not None else {}
    told_together = [item for found in closed.values() for item in found]
    unseen = [item for item in decision.unseen if item not in told_together]
    yield from _listed("blocks", decision.blockers, numbers, most, Verdict.FAIL)
    yield from _listed("unseen", unseen, numbers, most, Verdict.UNPROVEN)
    yield from _closed(closed, numbers)
    yield from _listed("warning", decision.warnings, numbers, most, Verdict.UNPROVEN)
    for kept in decision.accepted:
        yield "accepted", f"{_named(kept.finding)} (until {kept.until}: {kept.reason})", ""
    if decision.elsewhere:
        yield "elsewhere", f"{len(decision.elsewhere)} more that this act does not touch", ""
    if most is None:
        yield from _listed("elsewhere", decision.elsewhere, numbers, most, Verdict.UNPROVEN)
    for item in decision.not_applicable:
        # What the owner says is always shown, what was seen only when all is.
        if most is None or DECLARED in item.evidence:
            yield "n/a", f"{_named(item)}: {item.not_applicable}", ""
    yield from _down(decision, told.outages)
    yield "new", _new(decision, told.new), ""
    yield "next", _next(decision), ""


def _behind_closed_doors(unseen: Sequence[Finding]) -> Mapping[str, Sequence[Finding]]:
    """What is unseen only because nobody may log in, by the host that this is about."""
    by_host: dict[str, list[Finding]] = {}
    for item in unseen:
        hosts = closed_hosts(item.problem)
        if hosts:
            by_host.setdefault(item.target if item.target in hosts else hosts[0], []).append(item)
    return by_host


def _closed(
    by_host: Mapping[str, Sequence[Finding]], numbers: Mapping[tuple[str, str], int]
) -> Iterator[Line]:
    for host, found in by_host.items():
        first = min(numbers.get(item.key, 0) for item in found)
        claims = f"{len(found)} claims" if len(found) > 1 else "1 claim"
        told = f"{host}: {claims} cannot be seen without ssh (such as #{first}, --all shows them)"
        yield "unseen", f"{told}; the grant: {GRANT}", _STYLES[Verdict.UNPROVEN]


def _headline(decision: Decision, site: str) -> str:
    act = decision.act or "any act"
    counted = [
        f"{len(decision.blockers)} forbid it" * bool(decision.blockers),
        f"{len(decision.unseen)} not seen" * bool(decision.unseen),
        f"{len(decision.warnings)} warnings" * bool(decision.warnings),
        f"{decision.good} claims hold",
        f"{len(decision.not_applicable)} do not apply" * bool(decision.not_applicable),
    ]
    return f"{act} on {site}: {', '.join(filter(None, counted))}"


def _named(finding: Finding) -> str:
    return f"{finding.check} [{finding.target}]"


def _listed(
    label: str,
    found: Sequence[Finding],
    numbers: Mapping[tuple[str, str], int],
    most: int | None,
    verdict: Verdict,
) -> Iterator[Line]:
    for item in found[:most]:
        number = numbers.get(item.key, 0)
        yield label, f"#{number} {_named(item)}: {item.problem}", _STYLES[verdict]
        if item.fix:
            yield "", f"  fix: {item.fix}", ""
    if most is not None and len(found) > most:
        yield "more", f"{len(found) - most} more of these: --all", ""


def _down(decision: Decision, outages: Sequence[Outage]) -> Iterator[Line]:
    if decision.act is None:
        return
    if not outages:
        yield "down", "for how long is not known: no drill of this act is on record here", ""
        return
    longest = sorted(outages, key=lambda item: -item.upper_s)
    told = ", ".join(f"{item.name} ≤{format_duration(item.upper_s)}" for item in longest[:MOST])
    more = f" and {len(longest) - MOST} more for less" if len(longest) > MOST else ""
    yield "down", f"{told}{more} (as measured by {longest[0].drill})", ""


def _new(decision: Decision, new: frozenset[tuple[str, str]] | None) -> str:
    if new is None:
        return "first time here: nothing to compare with"
    wrong = [*decision.blockers, *decision.unseen, *decision.warnings, *decision.elsewhere]
    fresh = [_named(item) for item in wrong if item.key in new]
    return f"since last time: {', '.join(fresh)}" if fresh else "nothing since last time"


def _next(decision: Decision) -> str:
    if decision.blockers or decision.unseen or decision.warnings:
        return "blackstart explain N shows one finding whole; mend it, then verify again"
    return "a drill proves it: pytest scenarios --inventory FILE --plan"
