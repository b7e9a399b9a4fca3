"""Every invariant there is can pass, fail and be unproven; with less evidence it says no more."""

from __future__ import annotations

import inspect
import pkgutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from importlib import import_module

import pytest

import blackstart.invariants as package
from blackstart.invariants import (
    addresses_stable,
    boot_order_as_predicted,
    containers_run,
    dhcp_answers,
    guests_boot,
    mounts_answer,
    names_resolve,
    nobody_killed,
    nodes_ready,
    nothing_else_changed,
    others_resolve,
    services_answer,
    virtual_addresses_held,
)
from blackstart.invariants.base import Evidence, Invariant
from blackstart.invariants.never_down import never_all_down
from blackstart.model.verdict import Verdict
from tests.unit.losing import blinded, lessened

from . import test_addresses_stable as addresses
from . import test_boot_order_as_predicted as order
from . import test_containers_run as containers
from . import test_dhcp_answers as dhcp
from . import test_guests_boot as guests
from . import test_mounts_answer as mounts
from . import test_names_resolve as names
from . import test_never_down as never
from . import test_nobody_killed as killed
from . import test_nodes_ready as nodes
from . import test_nothing_else_changed as changed
from . import test_others_resolve as others
from . import test_services_answer as services
from . import test_virtual_addresses as virtual
from .site import BEGAN, good, put, series, with_series

FAIL, PASS, UNPROVEN = Verdict.FAIL, Verdict.PASS, Verdict.UNPROVEN


@dataclass(frozen=True)
class Case:
    """An invariant, a drill of which it holds, and drills of which it does not."""

    invariant: Invariant
    well: Evidence
    broken: tuple[Evidence, ...]


def case(invariant: Invariant, well: Evidence, broken: Iterable[Evidence]) -> Case:
    return Case(invariant, well, tuple(broken))


DOWN = [series(name, (110.0, 140.0)) for name in never.MEMBERS]
CASES = {
    item.invariant.name: item
    for item in (
        case(addresses_stable(), good(), (it for it, _ in addresses.BROKEN.values())),
        case(
            boot_order_as_predicted(order.prediction()),
            order.drill(),
            (order.drill(guest__docker1=60.0), order.drill(guest__dns2=9999.0)),
        ),
        case(containers_run(), good(), (it for it, _ in containers.BROKEN.values())),
        case(dhcp_answers(), dhcp.drill(), (it for it, _ in dhcp.BROKEN.values())),
        case(guests_boot("a1"), good(), (it for it, _ in guests.BROKEN.values())),
        case(mounts_answer(), good(), (it for it, _ in mounts.BROKEN.values())),
        case(names_resolve(), good(), (it for it, _ in names.BROKEN.values())),
        case(
            never_all_down(),
            never.evidence(*(series(name) for name in never.MEMBERS)),
            (never.evidence(*DOWN),),
        ),
        case(nobody_killed(), killed.one_boot(), (killed.with_lines(killed.BOX),)),
        case(nodes_ready(), nodes.drill(), (it for it, *_ in nodes.BROKEN.values())),
        case(
            nothing_else_changed(changed.TODAY),
            good(),
            (put(good(), "after", path, value) for path, value, _ in changed.CHANGES),
        ),
        case(
            others_resolve(),
            others.evidence(),
            (with_series(others.evidence(), series("dns/two", (BEGAN + 1, BEGAN + 20))),),
        ),
        case(services_answer(), good(), (it for it, _ in services.BROKEN.values())),
        case(virtual_addresses_held(), virtual.moved(), (it for it, _ in virtual.BROKEN.values())),
    )
}


def verdicts(invariant: Invariant, evidence: Evidence) -> dict[str, Verdict]:
    return {item.target: item.verdict for item in invariant.judge(evidence)}


def poorer(evidence: Evidence) -> Iterator[tuple[str, Evidence]]:
    """The drill with each single fact less, and with each series of answers less."""
    yield from lessened(evidence)
    for turn, item in enumerate(evidence.during):
        others = (*evidence.during[:turn], *evidence.during[turn + 1 :])
        yield f"{item.subject}: not asked", replace(evidence, during=others)
        mute = item.model_copy(update={"samples": ()})
        yield f"{item.subject}: no answer", replace(evidence, during=(*others, mute))


def test_every_invariant_has_its_case() -> None:
    modules = [
        import_module(f"{package.__name__}.{it.name}")
        for it in pkgutil.iter_modules(package.__path__)
    ]
    written = {
        kind
        for module in modules
        for kind in vars(module).values()
        if inspect.isclass(kind) and kind.__module__ == module.__name__ and hasattr(kind, "judge")
    }
    assert {type(item.invariant) for item in CASES.values()} == written - {Invariant}


@pytest.mark.parametrize("name", CASES)
def test_an_invariant_holds_and_does_not(name: str) -> None:
    item = CASES[name]
    assert {*verdicts(item.invariant, item.well).values()} == {PASS}
    assert item.broken
    for evidence in item.broken:
        assert FAIL in verdicts(item.invariant, evidence).values()


@pytest.mark.parametrize("name", CASES)
def test_with_less_evidence_it_is_unproven_and_says_no_more(name: str) -> None:
    item = CASES[name]
    missed = {where: verdicts(item.invariant, less) for where, less in poorer(item.well)}
    assert [where for where, found in missed.items() if FAIL in found.values()] == []
    assert any(UNPROVEN in found.values() for found in missed.values())
    for evidence in item.broken:
        whole = verdicts(item.invariant, evidence)
        for where, less in poorer(evidence):
            left = verdicts(item.invariant, less)
            assert [it for it in whole if whole[it] is FAIL and left.get(it) is PASS] == [], where


@pytest.mark.parametrize("name", CASES)
def test_of_nothing_nothing_is_said(name: str) -> None:
    item = CASES[name]
    nothing = replace(blinded(item.well), during=())
    assert {*verdicts(item.invariant, nothing).values()} == {UNPROVEN}
