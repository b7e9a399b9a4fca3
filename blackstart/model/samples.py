"""What the probes saw, and the outage that follows from it.

An outage is an interval, never one number that hides its resolution: the lower
bound runs from the first to the last failed sample, the upper bound from the
last good sample before to the first good one after.
"""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict


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
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    probe: str
    kind: str
    subject: str
    period_s: float
    samples: tuple[Sample, ...] = ()


class Outage(BaseModel):
    """Seconds of one outage as bounds; ``upper_s`` is ``None`` while it has not ended."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    began_at: float
    ended_at: float | None
    lower_s: float
    upper_s: float | None


def outages(samples: Sequence[Sample]) -> tuple[Outage, ...]:
    """Every run of failed samples, in order; ``samples`` must be in order of time."""
    found: list[Outage] = []
    last_good: float | None = None
    first_bad: float | None = None
    last_bad = 0.0
    for sample in samples:
        if sample.ok:
            if first_bad is not None:
                found.append(_closed(last_good, first_bad, last_bad, sample.at))
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


def _closed(last_good: float | None, first_bad: float, last_bad: float, good: float) -> Outage:
    began = first_bad if last_good is None else last_good
    return Outage(began_at=began, ended_at=good, lower_s=last_bad - first_bad, upper_s=good - began)


def held_since(samples: Sequence[Sample]) -> float | None:
    """When the current unbroken run of good samples began; ``None`` when the last one failed."""
    since: float | None = None
    for sample in reversed(samples):
        if not sample.ok:
            break
        since = sample.at
    return since
