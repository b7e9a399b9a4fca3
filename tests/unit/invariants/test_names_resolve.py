"""names-resolve: every server, every name, exactly the declared addresses."""

from __future__ import annotations

import pytest

from blackstart.invariants import names_resolve
from blackstart.invariants.base import Evidence
from blackstart.model.verdict import Judgement, Verdict

from .site import good, lost, put, seen, series, site, with_series

FAIL, UNPROVEN = Verdict.FAIL, Verdict.UNPROVEN
BOX, WWW = "names.ns/box.lab.test", "names.ns/www.lab.test"
SERVFAIL = seen((), "dns @192.0.2.62: box.lab.test A: SERVFAIL")


def ns(evidence: Evidence) -> Judgement:
    (judged,) = names_resolve().judge(evidence)
    return judged


def test_all_is_well() -> None:
    judged = ns(good())
    assert (judged.name, judged.target, judged.verdict) == ("names-resolve", "ns", Verdict.PASS)
    assert judged.reason == "3 names resolve; never failed, budget 60s"


def test_the_order_of_addresses_is_of_no_matter() -> None:
    assert ns(put(good(), "after", WWW, seen(("192.0.2.62", "192.0.2.61")))).verdict is Verdict.PASS


BROKEN = {
    "refused zone": (
        put(good(), "after", BOX, SERVFAIL),
        "ns gives box.lab.test no address (dns @192.0.2.62: box.lab.test A: SERVFAIL); "
        "before the fault 192.0.2.61",
    ),
    "other address": (
        put(good(), "after", BOX, seen(("192.0.2.99",), "dns")),
        "ns gives box.lab.test 192.0.2.99 (dns); before the fault 192.0.2.61",
    ),
    "one address of two": (
        put(good(), "after", WWW, seen(("192.0.2.61",), "dns")),
        "ns gives www.lab.test 192.0.2.61 (dns); before the fault 192.0.2.61, 192.0.2.62",
    ),
    "one address too many": (
        put(good(), "after", BOX, seen(("192.0.2.61", "192.0.2.62"), "dns")),
        "ns gives box.lab.test 192.0.2.61, 192.0.2.62 (dns); before the fault 192.0.2.61",
    ),
    "too late": (
        with_series(good(), series("dns/ns", (101.0, 171.0))),
        "icmp dns/ns still failed 70s after the fault; its budget is 60s",
    ),
    "down at the end": (
        with_series(good(ended_at=150.0), series("dns/ns", (101.0, 999.0), ended=150.0)),
        "icmp dns/ns did not answer when the drill ended",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_promise_is_red(name: str) -> None:
    evidence, said = BROKEN[name]
    judged = ns(evidence)
    assert (judged.verdict, judged.reason) == (FAIL, said)


UNKNOWN = {
    "no answer": (
        put(good(), "after", BOX, lost("dns ns", "timeout")),
        "answer of ns to box.lab.test not seen: timeout (dns ns)",
    ),
    "nobody asked": (
        put(good(), "after", BOX, None),
        "answer of ns to box.lab.test not seen: nobody looked",
    ),
    "no answer before": (
        put(good(), "before", BOX, lost("dns ns", "timeout")),
        "answer of ns to box.lab.test before the fault not seen: timeout",
    ),
    "nobody asked before": (
        put(good(), "before", BOX, None),
        "answer of ns to box.lab.test before the fault not seen: nobody asked",
    ),
    "wrong before already": (
        put(put(good(), "before", BOX, seen(())), "after", BOX, seen(())),
        "ns gave box.lab.test no address before the fault already; declared 192.0.2.61",
    ),
    "no samples": (good(during=()), "nothing asked dns/ns during the drill"),
}


@pytest.mark.parametrize("name", UNKNOWN)
def test_what_is_not_known_is_unproven(name: str) -> None:
    evidence, said = UNKNOWN[name]
    judged = ns(evidence)
    assert (judged.verdict, judged.reason) == (UNPROVEN, said)


def test_a_name_that_was_ill_does_not_hide_another_that_fails() -> None:
    evidence = put(good(), "before", BOX, seen(()))
    judged = ns(put(evidence, "after", WWW, seen((), "dns")))
    assert judged.verdict is FAIL
    assert judged.reason.startswith("ns gives www.lab.test no address (dns)")


def test_every_server_is_judged() -> None:
    servers = {
        "ns": {"address": "192.0.2.62"},
        "second": {"address": "192.0.2.63"},
    }
    names = {"box.lab.test": {"addresses": ["192.0.2.61"]}}
    inventory = site(dns={"servers": servers, "names": names})
    judged = names_resolve().judge(good(inventory=inventory))
    assert [(item.target, item.verdict) for item in judged] == [
        ("ns", Verdict.PASS),
        ("second", UNPROVEN),
    ]


@pytest.mark.parametrize("dns", [None, {"servers": {}, "names": {}}])
def test_nothing_declared_is_unproven(dns: object) -> None:
    judged = ns(good(inventory=site(dns=dns)))
    assert judged.verdict is UNPROVEN
    assert judged.reason == "the inventory declares no DNS server, or no name to ask for"
