"""Every check there is can be red and can be unproven, and never knows less and says more.

What counts is the verdict of the check itself, on facts of which one is otherwise, lost, or never
asked for. A check that is new is missed here until it has a case.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

import pytest

from blackstart.checking import expect
from blackstart.model.observed import Observed

from .calling import CHECKS
from .check_cases import EVERY, red, verdict, well
from .invariants.site import seen
from .losing import blinded, lessened
from .proxmox_cases import Given, site
from .proxmox_site import inventory

OUT = "configuration_copy_is_off_the_cluster"
INVENTORY_ALONE: Mapping[str, Given] = {OUT: site(inventory=inventory(backups={}))}
"""Checks that ask nobody: what they are about is declared, and unproven only when it is not."""
OTHERWISE_KNOWN: Mapping[str, str] = {
    # Where corosync cannot be asked, the votes that the API tells are counted instead.
    "quorum_survives_without_it": "facts.cluster",
    # The other of two machines with one boot id: unread, it is unproven of itself.
    "machine_shows_itself": "facts.hosts.a2",
}
"""Where a source may be lost, and something else says the same or takes the blame."""


def knowing_less(check: Callable[..., Any], case: Given) -> Iterator[tuple[str, str]]:
    """The verdict for each single thing less that is known."""
    for where, given in lessened(case):
        yield where, verdict(check, given)


@cache
def less(name: str) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """That of the case that is green, and of all that are red."""
    check = EVERY[name]
    fallen = [found for case in red()[name] for found in knowing_less(check, case)]
    return [*knowing_less(check, well(name))], fallen


def test_every_check_has_a_case_and_every_case_is_of_a_check() -> None:
    assert {name for name, cases in red().items() if cases} == set(EVERY)
    written = "".join(path.read_text() for path in CHECKS.glob("*.py"))
    assert written.count("\ndef test_") == len(EVERY)
    assert set(EVERY) >= {*INVENTORY_ALONE, *OTHERWISE_KNOWN}


@pytest.mark.parametrize("name", EVERY)
def test_a_check_is_green_and_red(name: str) -> None:
    assert verdict(EVERY[name], well(name)) == "pass"
    assert {verdict(EVERY[name], case) for case in red()[name]} == {"fail"}


@pytest.mark.parametrize("name", EVERY)
def test_a_check_is_unproven_when_one_of_its_sources_cannot_be_read(name: str) -> None:
    good, fallen = less(name)
    lost = {verdict for where, verdict in (*good, *fallen) if "not asked" not in where}
    if name in INVENTORY_ALONE:
        assert "unproven" not in lost, "it has a source after all"
        assert verdict(EVERY[name], INVENTORY_ALONE[name]) == "unproven"
    else:
        assert "unproven" in lost


@pytest.mark.parametrize("name", EVERY)
def test_who_knows_less_says_no_more(name: str) -> None:
    good, fallen = less(name)
    assert [found for found in good if found[1] not in ("pass", "unproven")] == []
    more = [found for found in fallen if found[1] not in ("fail", "unproven")]
    excused = OTHERWISE_KNOWN.get(name)
    if excused is None:
        assert more == []
    else:
        assert more, "this needs no excuse"
        assert [where for where, _ in more if not where.startswith(excused)] == []


@pytest.mark.parametrize("name", EVERY)
def test_who_knows_nothing_says_nothing(name: str) -> None:
    ends = {verdict(EVERY[name], blinded(case)) for case in red()[name]}
    assert ends <= {"fail", "unproven"}  # what is declared can be wrong by itself
    nothing = "pass" if name in INVENTORY_ALONE else "unproven"
    assert verdict(EVERY[name], blinded(well(name))) == nothing


class TestWhatWouldBeSeen:
    """Checks that are not what they should be, and what comes of less knowledge."""

    @staticmethod
    def ends(check: Callable[..., Any], fact: Observed[Any]) -> list[str]:
        return [verdict for _, verdict in knowing_less(check, {"facts": {"failed": fact}})]

    def test_one_that_takes_what_it_cannot_read_for_nothing(self) -> None:
        def careless(facts: Mapping[str, Observed[Any]]) -> None:
            units = facts["failed"].value if "failed" in facts else ()
            expect(not units, "failed", evidence="ssh", fix="look")

        assert verdict(careless, {"facts": {"failed": seen(("a.mount",))}}) == "fail"
        assert self.ends(careless, seen(("a.mount",))) == ["pass", "pass"]

    def test_one_that_is_red_for_want_of_an_answer(self) -> None:
        def hasty(facts: Mapping[str, Observed[Any]]) -> None:
            units = facts["failed"].value if "failed" in facts else None
            expect(units == (), "failed", evidence="ssh", fix="look")

        assert verdict(hasty, {"facts": {"failed": seen(())}}) == "pass"
        assert self.ends(hasty, seen(())) == ["fail", "fail"]

    def test_one_that_breaks_is_not_taken_for_unproven(self) -> None:
        def broken(facts: Mapping[str, Observed[Any]]) -> None:
            expect(len(facts["failed"].value) == 0, "failed", evidence="ssh", fix="look")

        with pytest.raises(TypeError):
            self.ends(broken, seen(()))
