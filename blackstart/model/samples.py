"""What the probes saw, and the outage that follows from it.

An outage is an interval, never one number that hides its resolution: the lower
bound runs from the first to the last failed sample, the upper bound from the
last good sample before to the first good one after.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from pydantic import BaseModel, ConfigDict

MIN_COVERAGE = 0.5
"""With less than this part of the promised samples, a series proves nothing."""


class Sample(BaseModel):
    """One answer. ``at`` and ``latency_s`` in seconds on the drill's monotonic clock."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    at: float
    ok: bool
    latency_s: float = 0.0
    detail: str = ""


class Series(BaseModel):
    """All answers of one probe. ``period_s`` is the sampling period in seconds.

    ``subject`` is the guest, host, server or service whose recovery it measures.
    ``broken`` says why the probe itself could not ask, which tells nothing about its
    target; ``skipped`` counts the questions that were due and were not asked, ``asked``
    those that were, so that a record that lost some of its answers is known as such.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    probe: str
    kind: str
    subject: str
    period_s: float
    samples: tuple[Sample, ...] = ()
    broken: str | None = None
    skipped: int = 0
    asked: int | None = None


class Outage(BaseModel):
    """Seconds of one outage as bounds. ``ended_at`` is ``None`` while it has not ended.

    ``upper_s`` is ``None`` as well when it was already there at the first sample:
    how long before is not known, so there is no upper bound to give.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    began_at: float
    ended_at: float | None
    lower_s: float
    upper_s: float | None


class Gap(BaseModel):
    """A stretch (seconds on the drill's clock) in which nothing was asked."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    began_at: float
    ended_at: float


def outages(samples: Sequence[Sample]) -> tuple[Outage, ...]:
    """Every run of failed samples, in order; ``samples`` must be in order of time."""
    found: list[Outage] = []
    last_good: float | None = None
    first_bad: float | None = None
    last_bad = 0.0
    for sample in samples:
        if sample.ok:
            if first_bad is not None:
                found.append(_closed(last_good, first_bad, last_bad, sample))
                first_bad = None
            last_good = sample.at
        else:
            first_bad = sample.at if first_bad is None else first_bad
            last_bad = sample.at
    if first_bad is not None:
        began = first_bad if last_good is None else last_good
        found.append(
            Outage(began_at=began, ended_at=None, lower_s=last_bad - first_bad, upper_s=None)
        )
    return tuple(found)


def _closed(last_good: float | None, first_bad: float, last_bad: float, good: Sample) -> Outage:
    # Up is known from when the answer came: the kernel repeats a SYN for us, so that a
    # connection asked for while the target was down can still succeed a second later.
    ended = good.at + good.latency_s
    return Outage(
        began_at=first_bad if last_good is None else last_good,
        ended_at=ended,
        lower_s=last_bad - first_bad,
        upper_s=None if last_good is None else ended - last_good,
    )


def held_since(samples: Sequence[Sample], max_gap_s: float | None = None) -> float | None:
    """When the current unbroken run of good samples began; ``None`` when the last one failed.

    With ``max_gap_s`` (seconds), a longer silence between two samples breaks the run too.
    """
    since: float | None = None
    later: float | None = None
    for sample in reversed(samples):
        silent = later is not None and max_gap_s is not None and later - sample.at > max_gap_s
        if not sample.ok or silent:
            break
        since = sample.at
        later = sample.at
    return since


def longest_silence_s(period_s: float) -> float:
    """Seconds between two samples that still pass for regular.

    Three periods, and at least a second more than one: at 10 Hz a busy machine is late
    by a few periods without having missed anything.
    """
    return max(3 * period_s, period_s + 1.0)


def gaps(series: Series, began_at: float, ended_at: float) -> tuple[Gap, ...]:
    """Stretches between two instants in which the probe did not ask: its machine stood still."""
    seen = [sample.at for sample in series.samples if began_at <= sample.at <= ended_at]
    edges = [began_at, *seen, ended_at]
    limit = longest_silence_s(series.period_s)
    return tuple(
        Gap(began_at=one, ended_at=other) for one, other in pairwise(edges) if other - one > limit
    )


def coverage(series: Series, began_at: float, ended_at: float) -> float:
    """Which part (0 to 1) of the samples that the rate promised between two instants is there."""
    promised = max(1.0, (ended_at - began_at) / series.period_s)
    seen = sum(1 for sample in series.samples if began_at <= sample.at <= ended_at)
    return min(1.0, seen / promised)


def distrust(series: Series, began_at: float, ended_at: float) -> str | None:
    """Why nothing may be concluded from a series between two instants; ``None`` when it may.

    A probe that broke, a record that lost answers, no samples, or fewer than
    ``MIN_COVERAGE`` of those promised.
    """
    if series.broken is not None:
        return f"probe {series.probe} broke: {series.broken}"
    if series.asked is not None and len(series.samples) < series.asked:
        lost = series.asked - len(series.samples)
        return f"probe {series.probe} has lost {lost} of its {series.asked} answers"
    covered = coverage(series, began_at, ended_at)
    if covered < MIN_COVERAGE:
        return f"probe {series.probe} asked only {covered:.0%} of what its rate promised"
    return None
