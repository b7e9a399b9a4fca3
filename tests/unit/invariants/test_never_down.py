"""What must never go down: judged over the whole drill, also while nobody can cut it short."""

from __future__ import annotations

from dataclasses import replace

import pytest

from blackstart.invariants.base import Evidence
from blackstart.invariants.never_down import never_all_down
from blackstart.model.samples import Series
from blackstart.model.verdict import Judgement, Verdict

from .site import BEGAN, ENDED, good, series, site

MEMBERS = ("guest/box", "guest/far")
GROUPS = {"pair": {"any_of": MEMBERS, "grace": "5s"}}

Down = tuple[float, float] | None


def evidence(*members: Series) -> Evidence:
    return good(inventory=site(never_down=GROUPS), during=members)


def judged(item: Evidence) -> Judgement:
    (found,) = never_all_down().judge(item)
    assert (found.name, found.target) == ("never-down", "pair")
    return found


@pytest.mark.parametrize(
    ("box", "far", "verdict"),
    [
        (None, None, Verdict.PASS),
        ((110.0, 140.0), None, Verdict.PASS),
        ((110.0, 140.0), (140.0, 150.0), Verdict.PASS),
        ((110.0, 140.0), (137.0, 150.0), Verdict.PASS),  # together for less than the grace
        ((110.0, 140.0), (135.0, 150.0), Verdict.UNPROVEN),  # 4 s for certain, 6 s perhaps
        ((110.0, 140.0), (130.0, 150.0), Verdict.FAIL),
        ((110.0, 140.0), (115.0, 125.0), Verdict.FAIL),
        ((110.0, 500.0), (190.0, 500.0), Verdict.FAIL),  # to the very end
        ((80.0, 99.0), (80.0, 99.0), Verdict.PASS),  # before the fault
    ],
)
def test_what_counts_is_the_time_in_which_all_are_down_together(
    box: Down, far: Down, verdict: Verdict
) -> None:
    members = [series(name, down) for name, down in zip(MEMBERS, (box, far), strict=True)]
    assert judged(evidence(*members)).verdict is verdict


def test_a_breach_is_told_with_its_length_and_what_is_allowed() -> None:
    both = [series(name, (120.0, 137.0)) for name in MEMBERS]
    assert judged(evidence(*both)).reason == (
        "none of guest/box, guest/far answered for 16s, and 5.0s are allowed"
    )


def answering(whole: Series, at: float, *, ok: bool) -> Series:
    """The same with another answer at one instant."""
    samples = tuple(
        sample.model_copy(update={"ok": ok}) if sample.at == at else sample
        for sample in whole.samples
    )
    return whole.model_copy(update={"samples": samples})


def test_an_outage_that_an_answer_breaks_is_two() -> None:
    once = series("guest/far", (110.0, 118.0))
    far = answering(once, 114.0, ok=True)  # 3 s, an answer, 2 s
    assert judged(evidence(series("guest/box", (110.0, 118.0)), far)).verdict is Verdict.PASS


def silent(subject: str, began: float, ended: float) -> Series:
    """Nobody asked in between."""
    whole = series(subject)
    kept = tuple(sample for sample in whole.samples if not began < sample.at < ended)
    return whole.model_copy(update={"samples": kept, "asked": len(kept)})


def test_a_silence_of_all_is_unproven() -> None:
    found = judged(evidence(*(silent(name, 120.0, 130.0) for name in MEMBERS)))
    assert found.verdict is Verdict.UNPROVEN
    assert "for 10s nobody heard or asked any of guest/box, guest/far" in found.reason


def test_a_silence_of_one_beside_an_outage_of_the_other_is_unproven() -> None:
    far = series("guest/far", (119.0, 131.0))
    found = judged(evidence(silent("guest/box", 120.0, 130.0), far))
    assert found.verdict is Verdict.UNPROVEN


def test_a_silence_that_goes_over_into_an_outage_is_one_stretch() -> None:
    box = silent("guest/box", 120.0, 124.0)
    for at in (124.0, 125.0, 126.0, 127.0, 128.0):
        box = answering(box, at, ok=False)
    assert judged(evidence(box, series("guest/far", (118.0, 132.0)))).verdict is Verdict.UNPROVEN


def test_a_member_whom_nobody_asked_is_unproven() -> None:
    found = judged(evidence(series("guest/box")))
    assert found.verdict is Verdict.UNPROVEN
    assert "nobody asked guest/far" in found.reason


def test_a_member_whom_nobody_asked_may_have_answered_while_the_other_was_down() -> None:
    found = judged(evidence(series("guest/box", (120.0, 140.0))))
    assert found.verdict is Verdict.UNPROVEN
    assert "nobody asked guest/far" in found.reason


def test_a_probe_that_broke_is_unproven() -> None:
    broken = series("guest/far").model_copy(update={"broken": "no such program"})
    assert judged(evidence(series("guest/box"), broken)).verdict is Verdict.UNPROVEN


def test_a_cold_start_takes_all_away_by_consent() -> None:
    both = [series(name, (BEGAN, ENDED)) for name in MEMBERS]
    assert never_all_down().judge(replace(evidence(*both), fault="cold-start")) == ()
