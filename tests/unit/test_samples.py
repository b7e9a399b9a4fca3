"""Outage bounds hold whatever the truth was; gaps, coverage and distrust."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blackstart.model.samples import (
    Sample,
    Series,
    coverage,
    distrust,
    gaps,
    held_since,
    longest_silence_s,
    outages,
)

PERIOD_S = 0.1
GRACE_S = 1e-6


def series(samples: list[Sample], *, broken: str | None = None) -> Series:
    return Series(
        probe="icmp a",
        kind="icmp",
        subject="guest/a",
        period_s=PERIOD_S,
        samples=tuple(samples),
        broken=broken,
    )


def regular(pattern: str, began_at: float = 0.0) -> list[Sample]:
    """``+`` good, ``-`` failed, ``.`` nothing asked; one character a period."""
    return [
        Sample(at=began_at + PERIOD_S * index, ok=mark == "+")
        for index, mark in enumerate(pattern)
        if mark != "."
    ]


@st.composite
def truths(draw: st.DrawFn) -> tuple[list[tuple[float, float]], list[Sample]]:
    """Down intervals, and what a prober sees that repeats its question for a second.

    A question asked while the target is down succeeds when the target is back at one of
    its repetitions, as the kernel's SYN is; its answer then comes that much later.
    """
    edges = sorted(draw(st.lists(st.integers(1, 400), max_size=6, unique=True)))
    downs = [(a / 10, b / 10) for a, b in zip(edges[::2], edges[1::2], strict=False)]
    asked = sorted(draw(st.lists(st.integers(0, 420), min_size=1, max_size=80, unique=True)))

    def is_down(at: float) -> bool:
        return any(began <= at < ended for began, ended in downs)

    seen = []
    for at in (tenths / 10 for tenths in asked):
        tries = [at + wait for wait in (0.0, 0.3, 1.0) if not is_down(at + wait)]
        seen.append(Sample(at=at, ok=bool(tries), latency_s=tries[0] - at if tries else 1.0))
    return downs, seen


@given(truths())
def test_upper_bound_covers_every_true_outage_that_was_seen(
    truth: tuple[list[tuple[float, float]], list[Sample]],
) -> None:
    downs, samples = truth
    for outage in outages(samples):
        if outage.upper_s is None or outage.ended_at is None:
            continue
        inside = [
            (began, ended)
            for began, ended in downs
            if began >= outage.began_at - GRACE_S and began < outage.ended_at
        ]
        assert inside, "an outage was reported where none was"
        longest = max(ended - began for began, ended in inside)
        assert outage.upper_s >= longest - GRACE_S


@given(truths())
def test_lower_bound_never_exceeds_the_upper_nor_the_observed_time(
    truth: tuple[list[tuple[float, float]], list[Sample]],
) -> None:
    _, samples = truth
    for outage in outages(samples):
        assert outage.lower_s >= 0
        assert outage.lower_s <= samples[-1].at - samples[0].at
        if outage.upper_s is not None:
            assert outage.lower_s < outage.upper_s


@given(st.text("+-", max_size=60))
def test_outages_are_the_runs_of_failed_samples(pattern: str) -> None:
    found = outages(regular(pattern))
    runs = [run for run in pattern.replace("+", " ").split() if run]
    assert len(found) == len(runs)
    for outage, run in zip(found, runs, strict=True):
        assert outage.lower_s == pytest.approx((len(run) - 1) * PERIOD_S)
    for earlier, later in pairwise(found):
        assert earlier.ended_at is not None
        assert earlier.ended_at <= later.began_at + GRACE_S
    ends_down = pattern.endswith("-")
    assert [outage.ended_at is None for outage in found] == [False] * (len(found) - ends_down) + [
        True
    ] * ends_down


@given(st.text("+-", max_size=60))
def test_held_since_is_the_begin_of_the_last_good_run(pattern: str) -> None:
    tail = len(pattern) - len(pattern.rstrip("+"))
    expected = None if tail == 0 else pytest.approx((len(pattern) - tail) * PERIOD_S)
    assert held_since(regular(pattern)) == expected


def test_down_from_the_first_sample_has_no_upper_bound() -> None:
    (outage,) = outages(regular("--++"))
    assert outage.ended_at == pytest.approx(0.2)
    assert outage.upper_s is None


def test_answer_that_came_late_ends_the_outage_when_it_came() -> None:
    samples = [
        Sample(at=0.0, ok=True),
        Sample(at=0.1, ok=False, latency_s=1.0),
        Sample(at=0.2, ok=True, latency_s=1.01),
    ]
    (outage,) = outages(samples)
    assert outage.ended_at == pytest.approx(1.21)
    assert outage.upper_s == pytest.approx(1.21)


def test_silence_breaks_a_held_run() -> None:
    samples = regular("+++" + "." * 20 + "++")
    assert held_since(samples) == pytest.approx(0.0)
    assert held_since(samples, longest_silence_s(PERIOD_S)) == pytest.approx(2.3)


def test_gaps_shows_where_nothing_was_asked_also_at_the_edges() -> None:
    seen = series(regular("." * 20 + "+++" + "." * 20 + "++" + "." * 20))
    found = [(gap.began_at, gap.ended_at) for gap in gaps(seen, 0.0, 6.5)]
    assert found == [
        (pytest.approx(0.0), pytest.approx(2.0)),
        (pytest.approx(2.2), pytest.approx(4.3)),
        (pytest.approx(4.4), pytest.approx(6.5)),
    ]


def test_no_gap_in_a_regular_series() -> None:
    assert gaps(series(regular("+" * 50)), 0.0, 5.0) == ()


@pytest.mark.parametrize(
    ("pattern", "part"), [("+" * 10, 1.0), ("+.+.+.+.+.", 0.5), (".........+", 0.1), ("", 0.0)]
)
def test_coverage_is_the_part_of_what_was_promised(pattern: str, part: float) -> None:
    assert coverage(series(regular(pattern)), 0.0, 1.0) == pytest.approx(part)


def test_distrust_names_the_reason() -> None:
    assert distrust(series(regular("+" * 10)), 0.0, 1.0) is None
    assert "10%" in (distrust(series(regular("+")), 0.0, 1.0) or "")
    assert "0%" in (distrust(series([]), 0.0, 1.0) or "")
    broken = series(regular("+" * 10), broken="no route")
    assert "broke: no route" in (distrust(broken, 0.0, 1.0) or "")
