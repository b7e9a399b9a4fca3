"""Virtual addresses: compared by themselves, wherever they are; held by one of their holders."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from blackstart.invariants import (
    addresses_stable,
    nothing_else_changed,
    virtual_addresses_held,
)
from blackstart.invariants.base import Evidence
from blackstart.model.verdict import Judgement, Verdict

from .site import ADDRESSES, MACS, good, lost, put, seen, site

FAIL, PASS, UNPROVEN = Verdict.FAIL, Verdict.PASS, Verdict.UNPROVEN
VIP = "192.0.2.200"
NAMES = {"names": {"address": VIP, "held_by": ["box", "far"]}}
GROUP = "00:00:5E:00:01:33"
TODAY = date(2026, 6, 15)


def shown(name: str, *more: str) -> Any:
    return seen({MACS[name]: (ADDRESSES[name], *more)}, f"agent of {name}")


def moved(virtual: Any = NAMES, *, after: tuple[str, ...] = ("far",)) -> Evidence:
    """The box had the address before the fault; those of ``after`` have it now."""
    evidence = put(good(), "before", "guests.box.interfaces", shown("box", VIP))
    for name in after:
        evidence = put(evidence, "after", f"guests.{name}.interfaces", shown(name, f"{VIP}/32"))
    return replace(evidence, inventory=site(virtual_addresses=virtual))


def verdicts(evidence: Evidence) -> dict[str, Verdict]:
    judged = (*addresses_stable().judge(evidence), *nothing_else_changed(TODAY).judge(evidence))
    return {item.target: item.verdict for item in judged}


def held(evidence: Evidence) -> Judgement:
    (judged,) = virtual_addresses_held().judge(evidence)
    assert judged.target == "names"
    return judged


ALL_WELL = {"box": PASS, "far": PASS, "home": PASS}


def test_one_that_moved_is_no_change_of_anybody() -> None:
    assert verdicts(moved()) == ALL_WELL
    assert held(moved()).verdict is PASS
    assert held(moved()).reason == f"{VIP} is held by far, before the fault by box"


def test_one_that_stayed_is_held() -> None:
    assert held(moved(after=("box",))).reason == f"{VIP} is held by box"


def test_without_a_declaration_it_is_an_address_of_a_guest() -> None:
    assert verdicts(moved({})) == {"box": FAIL, "far": FAIL, "home": FAIL}


def test_on_the_card_of_somebody_else_it_is_an_address_too_many() -> None:
    own = {"names": {"address": VIP, "held_by": ["box"]}}
    assert verdicts(moved(own)) == {"box": PASS, "far": FAIL, "home": FAIL}


def test_one_that_nobody_holds_may_show_up_with_anybody() -> None:
    evidence = moved({"ingress": {"address": VIP}})
    assert verdicts(evidence) == ALL_WELL
    (judged,) = virtual_addresses_held().judge(evidence)
    assert (judged.verdict, judged.target) == (UNPROVEN, "home")


def test_a_card_of_the_groups_own_comes_and_goes_with_it() -> None:
    own = {MACS["box"]: (ADDRESSES["box"],), GROUP: (VIP,)}
    evidence = put(moved(), "before", "guests.box.interfaces", seen(own))
    assert verdicts(evidence) == ALL_WELL
    assert verdicts(put(evidence, "after", "guests.far.interfaces", lost()))["far"] is UNPROVEN


def test_on_nodes_it_is_looked_for_by_interface() -> None:
    evidence = put(good(), "before", "hosts.a1.addresses", seen({"vmbr0": ("192.0.2.11", VIP)}))
    two = {"vmbr0": ("192.0.2.12",), "vrrp.51": (VIP,)}
    evidence = put(evidence, "after", "hosts.a2.addresses", seen(two))
    virtual = {"names": {"address": VIP, "held_by": ["a1", "a2"]}}
    evidence = replace(evidence, inventory=site(virtual_addresses=virtual))
    assert verdicts(evidence) == ALL_WELL
    assert held(evidence).reason == f"{VIP} is held by a2, before the fault by a1"


BROKEN = {
    "nobody has it": (moved(after=()), f"{VIP} is held by nobody"),
    "two have it": (moved(after=("box", "far")), f"{VIP} is held by box and far"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_promise_is_red(name: str) -> None:
    evidence, said = BROKEN[name]
    assert (held(evidence).verdict, held(evidence).reason) == (FAIL, said)


UNKNOWN = {
    "its only holder was not seen": (
        put(moved(after=()), "after", "guests.far.interfaces", lost("agent of far", "off")),
        "addresses of far not seen: off (agent of far)",
    ),
    "who else has it was not seen": (
        put(moved(), "after", "guests.box", None),
        "addresses of box not seen: nobody looked",
    ),
    "nobody had it before": (
        put(moved(), "before", "guests.box.interfaces", shown("box")),
        f"{VIP} was held by nobody before the fault",
    ),
    "two had it before": (
        put(moved(), "before", "guests.far.interfaces", shown("far", VIP)),
        f"{VIP} was held by box and far before the fault",
    ),
}


@pytest.mark.parametrize("name", UNKNOWN)
def test_what_is_not_known_is_unproven(name: str) -> None:
    evidence, said = UNKNOWN[name]
    assert (held(evidence).verdict, held(evidence).reason) == (UNPROVEN, said)
