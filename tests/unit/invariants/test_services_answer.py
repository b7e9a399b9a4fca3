"""services-answer: what a person would notice is back in its budget, and stays."""

from __future__ import annotations

import pytest

from blackstart.invariants import services_answer
from blackstart.invariants.base import Evidence
from blackstart.model.verdict import Judgement, Verdict

from .site import good, series, site, with_series

FAIL, UNPROVEN = Verdict.FAIL, Verdict.UNPROVEN
SHOP = "service/shop"


def shop(evidence: Evidence) -> Judgement:
    (judged,) = services_answer().judge(evidence)
    return judged


def test_all_is_well() -> None:
    judged = shop(good())
    assert (judged.name, judged.target, judged.verdict) == ("services-answer", "shop", Verdict.PASS)
    assert judged.reason == "back after 34s to 35s, budget 60s"


BROKEN = {
    "never back": (
        with_series(good(), series(SHOP, (101.0, 999.0))),
        "icmp service/shop still failed 1m40s after the fault; its budget is 60s",
    ),
    "too late": (
        with_series(good(), series(SHOP, (101.0, 171.0))),
        "icmp service/shop still failed 70s after the fault; its budget is 60s",
    ),
    "down at the end": (
        with_series(good(ended_at=150.0), series(SHOP, (101.0, 999.0), ended=150.0)),
        "icmp service/shop did not answer when the drill ended",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_promise_is_red(name: str) -> None:
    evidence, said = BROKEN[name]
    judged = shop(evidence)
    assert (judged.verdict, judged.reason) == (FAIL, said)


UNKNOWN = {
    "nobody asked": (good(during=()), "nothing asked service/shop during the drill"),
    "not held": (
        with_series(good(ended_at=140.0), series(SHOP, (101.0, 135.0), ended=140.0)),
        "icmp service/shop was good for 5.0s of the 10s to hold",
    ),
}


@pytest.mark.parametrize("name", UNKNOWN)
def test_what_is_not_known_is_unproven(name: str) -> None:
    evidence, said = UNKNOWN[name]
    judged = shop(evidence)
    assert (judged.verdict, judged.reason) == (UNPROVEN, said)


def test_no_service_is_unproven() -> None:
    judged = shop(good(inventory=site(services={})))
    assert (judged.verdict, judged.target) == (UNPROVEN, "home")
