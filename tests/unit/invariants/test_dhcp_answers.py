"""dhcp-answers: the declared server offers again in its budget, and no other does."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from typing import Any

import pytest

from blackstart.invariants import dhcp_answers
from blackstart.invariants.base import Evidence
from blackstart.model.dhcp_facts import LeaseTrial
from blackstart.model.differences import compare, unread
from blackstart.model.facts import Observed
from blackstart.model.samples import Series
from blackstart.model.subjects import guest_behind, subjects_of
from blackstart.model.verdict import Judgement, Verdict

from .site import When, good, lost, seen, series, site, with_series

FAIL, UNPROVEN, PASS = Verdict.FAIL, Verdict.UNPROVEN, Verdict.PASS
SERVER = {"address": "192.0.2.61", "interface": "eno1", "guest": "box", "budget": "60s"}
INVENTORY = site(dhcp={"maas": SERVER})
DHCP = "dhcp/maas"
ALONE = seen(("192.0.2.61",), "dhcp eno1")
TWO = seen(("192.0.2.61", "192.0.2.9"), "dhcp eno1")
NOBODY = seen((), "dhcp eno1")
Offers = Observed[tuple[str, ...]] | None


def drill(
    before: Offers = ALONE, after: Offers = ALONE, answers: Series | None = None, **changes: Any
) -> Evidence:
    evidence = good(inventory=INVENTORY, **changes)
    asked = answers or series(DHCP, (101.0, 131.0))
    evidence = replace(evidence, during=(*evidence.during, asked))
    for when, offers in (("before", before), ("after", after)):
        facts = getattr(evidence, when)
        changed = facts.model_copy(update={"offers": {"eno1": offers} if offers else {}})
        evidence = replace(evidence, **{when: changed})
    return evidence


def maas(evidence: Evidence) -> Judgement:
    (judged,) = dhcp_answers().judge(evidence)
    assert judged.target == "maas"
    return judged


def test_all_is_well() -> None:
    judged = maas(drill())
    assert judged.verdict is PASS
    assert judged.reason == ("offers, and nobody undeclared; back after 30s to 31s, budget 60s")


def test_two_that_are_declared_may_share_a_wire() -> None:
    pair = site(dhcp={"maas": SERVER, "spare": {**SERVER, "address": "192.0.2.9"}})
    evidence = replace(drill(before=TWO, after=TWO), inventory=pair)
    evidence = replace(evidence, during=(*evidence.during, series("dhcp/spare")))
    assert {item.verdict for item in dhcp_answers().judge(evidence)} == {PASS}


BROKEN = {
    "offers no more": (
        drill(after=NOBODY),
        "192.0.2.61 offers no address (dhcp eno1)",
    ),
    "another one as well": (
        drill(after=TWO),
        "192.0.2.9 offers addresses, undeclared (dhcp eno1)",
    ),
    "another one instead": (
        drill(after=seen(("192.0.2.9",), "dhcp eno1")),
        "192.0.2.61 offers no address (dhcp eno1); "
        "192.0.2.9 offers addresses, undeclared (dhcp eno1)",
    ),
    "too late": (
        drill(answers=series(DHCP, (101.0, 171.0))),
        "icmp dhcp/maas still failed 70s after the fault; its budget is 60s",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_promise_is_red(name: str) -> None:
    evidence, said = BROKEN[name]
    judged = maas(evidence)
    assert (judged.verdict, judged.reason) == (FAIL, said)


UNKNOWN = {
    "this machine cannot ask": (
        drill(after=lost("dhcp eno1", "Operation not permitted")),
        "offers on eno1 not seen: Operation not permitted (dhcp eno1)",
    ),
    "nobody looked": (drill(after=None), "offers on eno1 not seen: nobody looked"),
    "not read before": (
        drill(before=lost("dhcp eno1")),
        "offers on eno1 before the fault not seen: no answer (dhcp eno1)",
    ),
    "silent before": (
        drill(before=NOBODY),
        "192.0.2.61 offered no address before the fault",
    ),
    "two before": (
        drill(before=TWO, after=TWO),
        "192.0.2.9 offered addresses before the fault, undeclared",
    ),
    "nobody asked": (
        with_series(drill(), series(DHCP).model_copy(update={"samples": (), "asked": 0})),
        None,
    ),
}


@pytest.mark.parametrize("name", UNKNOWN)
def test_what_is_not_known_is_unproven(name: str) -> None:
    evidence, said = UNKNOWN[name]
    judged = maas(evidence)
    assert judged.verdict is UNPROVEN
    assert said is None or judged.reason == said


GIVEN = LeaseTrial(address="192.0.2.220", lease_s=600)
NOT_GIVEN = LeaseTrial(refused="offered, and gave no lease: 192.0.2.61 did not answer within 6 s")
WITH_LEASE = site(dhcp={"maas": {**SERVER, "lease": True}})
Trial = Observed[LeaseTrial] | None


def leased(was: Trial, now: Trial, **changes: Any) -> Evidence:
    """A drill of a site that allows its server to be asked for a lease."""
    evidence = replace(drill(**changes), inventory=WITH_LEASE)
    for when, trial in (("before", was), ("after", now)):
        facts = getattr(evidence, when)
        changed = facts.model_copy(update={"leases": {"maas": trial} if trial else {}})
        evidence = replace(evidence, **{when: changed})
    return evidence


WELL = seen(GIVEN, "dhcp eno1: REQUEST")
ILL = seen(NOT_GIVEN, "dhcp eno1: REQUEST")
LEASES = {
    "given": (
        leased(WELL, WELL),
        PASS,
        "offers, gives and renews leases, and nobody undeclared; back after 30s to 31s, budget 60s",
    ),
    "no longer given": (
        leased(WELL, ILL),
        FAIL,
        "192.0.2.61 offered, and gave no lease: 192.0.2.61 did not answer within 6 s "
        "(dhcp eno1: REQUEST)",
    ),
    "not given before": (
        leased(ILL, ILL),
        UNPROVEN,
        "192.0.2.61 before the fault: offered, and gave no lease: "
        "192.0.2.61 did not answer within 6 s",
    ),
    "given only after": (
        leased(ILL, WELL),
        UNPROVEN,
        "192.0.2.61 before the fault: offered, and gave no lease: "
        "192.0.2.61 did not answer within 6 s",
    ),
    "not known": (
        leased(WELL, lost("dhcp eno1", "this machine cannot ask: Operation not permitted")),
        UNPROVEN,
        "lease of maas not seen: this machine cannot ask: Operation not permitted (dhcp eno1)",
    ),
    "not known before": (
        leased(lost("dhcp eno1"), WELL),
        UNPROVEN,
        "lease of maas before the fault not seen: no answer (dhcp eno1)",
    ),
    "nobody tried": (leased(WELL, None), UNPROVEN, "lease of maas not seen: nobody looked"),
    "no longer given, and nobody knows who offers": (
        leased(WELL, ILL, after=lost()),
        FAIL,
        "192.0.2.61 offered, and gave no lease: 192.0.2.61 did not answer within 6 s "
        "(dhcp eno1: REQUEST)",
    ),
}


@pytest.mark.parametrize("name", LEASES)
def test_a_lease_is_given_and_renewed_where_it_may_be_tried(name: str) -> None:
    evidence, verdict, said = LEASES[name]
    judged = maas(evidence)
    assert (judged.verdict, judged.reason) == (verdict, said)


def test_what_nobody_allowed_to_be_tried_is_not_asked_for() -> None:
    assert maas(replace(leased(ILL, ILL), inventory=INVENTORY)).verdict is PASS


def test_no_dhcp_server_is_unproven() -> None:
    (judged,) = dhcp_answers().judge(good())
    assert (judged.target, judged.verdict) == ("home", UNPROVEN)


@pytest.mark.parametrize("name", [*BROKEN, *UNKNOWN])
def test_losing_evidence_never_makes_a_pass(name: str) -> None:
    evidence = {**BROKEN, **UNKNOWN}[name][0]
    whens: tuple[When, When] = ("before", "after")
    for losses in (pair for size in (1, 2) for pair in combinations(whens, size)):
        poorer = evidence
        for when in losses:
            facts = getattr(poorer, when).model_copy(update={"offers": {"eno1": lost()}})
            poorer = replace(poorer, **{when: facts})
        assert maas(poorer).verdict is not PASS
    assert maas(replace(evidence, during=good().during)).verdict is not PASS


def test_it_is_compared_and_missed_and_has_its_place_in_the_tree() -> None:
    evidence = drill(after=TWO)
    found = compare(evidence.before, evidence.after, rebooted=frozenset({"a1"}))
    (item,) = [item for item in found if item.path.startswith("offers")]
    assert (item.path, item.klass) == ("offers/eno1", "converging")
    evidence = drill(after=None)
    told = unread(INVENTORY, evidence.before, evidence.after)
    assert "offers/eno1 after: nobody looked" in told
    (subject,) = [item for item in subjects_of(INVENTORY) if item.name == DHCP]
    assert (subject.under, subject.budget_s) == ("guest/box", 60.0)
    assert guest_behind(INVENTORY, DHCP) == "box"
