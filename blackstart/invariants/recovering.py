"""Recovery from the samples: how long it took, as bounds, against the budget.

The lower bound ends at the last answer that failed, the upper one where the answers
begin that were good and stayed so for the hold time. A budget between the two proves
nothing, nor does a good answer that was not held.
"""

from __future__ import annotations

from dataclasses import dataclass

from blackstart.invariants.base import Evidence
from blackstart.invariants.findings import Findings
from blackstart.model.quantities import format_duration
from blackstart.model.samples import Series, distrust, held_since, longest_silence_s


@dataclass(frozen=True, slots=True)
class Recovery:
    """Seconds from injection, less those for which the fault was held on purpose.

    ``upper_s`` is ``None`` while good has not held.
    ``held_s`` is for how long it was good at the end, ``None`` when it was not;
    ``fell`` whether any answer failed at all.
    """

    lower_s: float
    upper_s: float | None
    held_s: float | None
    fell: bool


def recovery(
    series: Series, began_at: float, ended_at: float, hold_s: float, withheld_s: float = 0.0
) -> Recovery:
    """What one probe saw between injection and the end of the wait (drill's clock, s)."""
    counted_from = began_at + withheld_s
    seen = [sample for sample in series.samples if sample.at <= ended_at]
    failures = [sample.at for sample in seen if not sample.ok and sample.at >= began_at]
    silence_s = longest_silence_s(series.period_s)
    since = held_since(seen, silence_s)
    if since is None or ended_at - seen[-1].at > silence_s:
        lower_s = max(0.0, failures[-1] - counted_from) if failures else 0.0
        return Recovery(lower_s, None, None, fell=bool(failures))
    last = max((at for at in failures if at < since), default=began_at)
    lower_s = max(0.0, last - counted_from)
    held_s = ended_at - since
    first = next(sample for sample in seen if sample.at == since)
    upper_s = max(0.0, since + first.latency_s - counted_from) if since > began_at else 0.0
    return Recovery(lower_s, upper_s if held_s >= hold_s else None, held_s, fell=bool(failures))


def within_budget(
    findings: Findings, evidence: Evidence, subject: str, budget_s: float
) -> tuple[Recovery, ...]:
    """Judge every probe of a subject against its budget; what each saw."""
    asked = [series for series in evidence.during if series.subject == subject]
    if not asked:
        findings.unproven(f"nothing asked {subject} during the drill")
    seen: list[Recovery] = []
    for series in asked:
        doubt = distrust(series, evidence.began_at, evidence.ended_at)
        if doubt is not None:
            findings.unproven(doubt)
            continue
        withheld_s = evidence.withheld_s + evidence.later_s.get(subject, 0.0)
        found = recovery(series, evidence.began_at, evidence.ended_at, evidence.hold_s, withheld_s)
        seen.append(found)
        _compare(findings, found, series.probe, budget_s, evidence.hold_s)
    return tuple(seen)


def _compare(
    findings: Findings, found: Recovery, probe: str, budget_s: float, hold_s: float
) -> None:
    budget = format_duration(budget_s)
    lower = format_duration(found.lower_s)
    findings.seen(f"{probe}: {_said(found)}, budget {budget}")
    if found.lower_s > budget_s:
        findings.failed(f"{probe} still failed {lower} after the fault; its budget is {budget}")
    elif found.held_s is None and found.fell:
        findings.failed(f"{probe} did not answer when the drill ended")
    elif found.held_s is None:
        findings.unproven(f"{probe} fell silent before the drill ended")
    elif found.upper_s is None:
        held = format_duration(found.held_s)
        findings.unproven(f"{probe} was good for {held} of the {format_duration(hold_s)} to hold")
    elif found.upper_s > budget_s:
        upper = format_duration(found.upper_s)
        findings.unproven(
            f"{probe} recovered between {lower} and {upper}; its budget of {budget} lies between"
        )


def _said(found: Recovery) -> str:
    if found.upper_s is None:
        return f"not recovered, last failure {format_duration(found.lower_s)} after the fault"
    if not found.fell:
        return "never failed"
    return f"back after {format_duration(found.lower_s)} to {format_duration(found.upper_s)}"


def longest(recoveries: tuple[Recovery, ...]) -> str:
    """The slowest recovery in words, for the reason of a pass."""
    ended = [item for item in recoveries if item.upper_s is not None]
    return _said(max(ended, key=lambda item: item.upper_s or 0.0)) if ended else "not seen"
