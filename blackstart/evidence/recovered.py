"""Outages and recovery times, as bounds, from what the probes saw."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from blackstart.model.samples import Gap, Outage, Series, coverage, distrust, gaps, outages
from blackstart.model.subjects import Subject

GUEST = "guest/"
REACHED_BY = "icmp"


class Bounds(BaseModel):
    """Seconds between which the truth lies; ``upper_s`` is ``None`` when it is not known."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    lower_s: float
    upper_s: float | None


class ProbeOutcome(BaseModel):
    """What one probe saw. ``outage`` sums up every outage after the injection.

    ``distrusted`` is why nothing may be concluded from it; ``gaps`` are stretches in which
    it did not ask; ``coverage`` (0 to 1) is the part of the promised samples that is there.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    probe: str
    kind: str
    subject: str
    period_s: float
    samples: int
    outage: Bounds | None
    recovered_at: float | None
    outages: tuple[Outage, ...]
    gaps: tuple[Gap, ...]
    coverage: float
    distrusted: str | None


class GuestRecovery(BaseModel):
    """How long after the injection a guest answered again for good, against its budget.

    ``within`` is ``None`` when that is not proven either way; ``note`` says why, or that
    the guest stayed up.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    guest: str
    node: str | None
    recovery_s: Bounds | None
    budget_s: float
    within: bool | None
    note: str


def probes(
    found: Sequence[Series], injected_at: float | None, seen_until: float
) -> tuple[ProbeOutcome, ...]:
    """The outcome of every probe, up to an instant on the drill's clock."""
    return tuple(_outcome(series, injected_at, seen_until) for series in found)


def _outcome(series: Series, injected_at: float | None, seen_until: float) -> ProbeOutcome:
    began_at = series.samples[0].at if series.samples else seen_until
    if injected_at is not None:
        began_at = min(began_at, injected_at)
    every = outages(series.samples)
    caused = [item for item in every if injected_at is None or _after(item, injected_at)]
    return ProbeOutcome(
        probe=series.probe,
        kind=series.kind,
        subject=series.subject,
        period_s=series.period_s,
        samples=len(series.samples),
        outage=_total(caused),
        recovered_at=caused[-1].ended_at if caused else None,
        outages=tuple(every),
        gaps=gaps(series, began_at, seen_until),
        coverage=round(coverage(series, began_at, seen_until), 3),
        distrusted=distrust(series, began_at, seen_until),
    )


def _after(outage: Outage, injected_at: float) -> bool:
    return outage.ended_at is None or outage.ended_at > injected_at


def _total(found: Sequence[Outage]) -> Bounds | None:
    if not found:
        return None
    uppers = [item.upper_s for item in found if item.upper_s is not None]
    return Bounds(
        lower_s=round(sum(item.lower_s for item in found), 3),
        upper_s=round(sum(uppers), 3) if len(uppers) == len(found) else None,
    )


def guests(
    found: Sequence[Series],
    subjects: Sequence[Subject],
    injected_at: float | None,
    seen_until: float,
    withheld_s: float = 0.0,
) -> tuple[GuestRecovery, ...]:
    """Every guest that was watched; none when nothing was injected.

    ``withheld_s``: seconds for which the fault was held on purpose; no budget counts them.
    """
    if injected_at is None:
        return ()
    reached = {series.subject: series for series in found if series.kind == REACHED_BY}
    return tuple(
        _guest(subject, reached.get(subject.name), injected_at, seen_until, withheld_s)
        for subject in subjects
        if subject.name.startswith(GUEST)
    )


def _guest(
    subject: Subject,
    series: Series | None,
    injected_at: float,
    seen_until: float,
    withheld_s: float,
) -> GuestRecovery:
    recovery, within, note = None, None, "not probed"
    if series is not None:
        recovery = _recovery(series, injected_at, withheld_s)
        note = distrust(series, injected_at, seen_until) or ""
        if not note:
            within, note = _compare(recovery, subject.budget_s)
    return GuestRecovery(
        guest=subject.name.removeprefix(GUEST),
        node=subject.under.partition("/")[2] if subject.under else None,
        recovery_s=recovery,
        budget_s=subject.budget_s,
        within=within,
        note=note,
    )


def _recovery(series: Series, injected_at: float, withheld_s: float) -> Bounds | None:
    """From the injection to the last failed sample, and to the first good one after it.

    Less the time for which the fault was held on purpose.
    """
    counted_from = injected_at + withheld_s
    after = [sample for sample in series.samples if sample.at >= injected_at]
    failed = [index for index, sample in enumerate(after) if not sample.ok]
    if not failed:
        return None
    last = failed[-1]
    good = after[last + 1] if last + 1 < len(after) else None
    return Bounds(
        lower_s=max(0.0, round(after[last].at - counted_from, 3)),
        upper_s=None
        if good is None
        else max(0.0, round(good.at + good.latency_s - counted_from, 3)),
    )


def _compare(recovery: Bounds | None, budget_s: float) -> tuple[bool | None, str]:
    if recovery is None:
        return True, "stayed up"
    if recovery.lower_s > budget_s:
        return False, "over budget" if recovery.upper_s is not None else "not back"
    if recovery.upper_s is None:
        return None, "not back when the probes stopped"
    if recovery.upper_s > budget_s:
        return None, "the budget lies between the bounds"
    return True, "back in budget"
