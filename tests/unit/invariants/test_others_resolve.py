"""The other name servers, while one is away: their answers of just that time, and enough."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from blackstart.invariants.base import Evidence
from blackstart.invariants.others_resolve import others_resolve
from blackstart.model.verdict import Judgement, Verdict

from .site import BEGAN, document, good, series, site, with_series

HELD = 60.0


def evidence(**changes: Any) -> Evidence:
    """ns on far is stopped for a minute; two is another server, on box."""
    dns = document()["dns"]
    servers = {**dns["servers"], "two": {"address": "192.0.2.61", "guest": "box", "budget": "5s"}}
    whole = good(
        inventory=site(dns={**dns, "servers": servers}),
        fault="service-stop",
        target="far",
        blast_radius=("far",),
        withheld_s=HELD,
    )
    return with_series(replace(whole, **changes), series("dns/two"))


def judged(item: Evidence) -> Judgement:
    (found,) = others_resolve().judge(item)
    assert found.name == "others-resolve"
    return found


def test_a_server_that_answered_all_the_time_passes() -> None:
    found = judged(evidence())
    assert (found.target, found.verdict) == ("two", Verdict.PASS)
    assert "3 names resolved meanwhile; never failed, budget 5.0s" in found.reason


@pytest.mark.parametrize(
    ("down", "verdict"),
    [
        ((BEGAN + 1, BEGAN + 4), Verdict.PASS),
        ((BEGAN + 1, BEGAN + 20), Verdict.FAIL),
        ((BEGAN + 1, BEGAN + 500), Verdict.FAIL),
        ((BEGAN + 50, BEGAN + 90), Verdict.FAIL),
        ((BEGAN + HELD + 2, BEGAN + 90), Verdict.PASS),
    ],
)
def test_what_counts_is_the_time_in_which_the_fault_was_held(
    down: tuple[float, float], verdict: Verdict
) -> None:
    assert judged(with_series(evidence(), series("dns/two", down))).verdict is verdict


def test_no_samples_are_no_pass() -> None:
    empty = series("dns/two").model_copy(update={"samples": (), "asked": 0})
    assert judged(with_series(evidence(), empty)).verdict is Verdict.UNPROVEN
    none = evidence()
    kept = tuple(item for item in none.during if item.subject != "dns/two")
    found = judged(replace(none, during=kept))
    assert found.verdict is Verdict.UNPROVEN
    assert "nothing asked dns/two" in found.reason


def test_fewer_answers_than_names_are_no_pass() -> None:
    seldom = series("dns/two", period=30.0)
    found = judged(with_series(evidence(hold_s=1.0), seldom))
    assert found.verdict is Verdict.UNPROVEN
    assert "was asked 2 times in 60s, and 3 names are declared" in found.reason


def test_a_fault_that_was_not_held_proves_nothing() -> None:
    assert judged(evidence(withheld_s=0.0)).verdict is Verdict.UNPROVEN


def test_without_another_server_nothing_is_proven() -> None:
    for inventory in (site(), site(dns=None, certificates={})):
        (found,) = others_resolve().judge(evidence(inventory=inventory))
        assert found.verdict is Verdict.UNPROVEN
        assert "no name server is declared beside far" in found.reason
