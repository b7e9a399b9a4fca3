"""To lose evidence never helps: what was no pass is none without a fact or a sample either.

The property behind ``unproven``. Whatever went wrong in a drill, taking any one fact or
answer out of its record must leave every target that did not pass without a pass.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from blackstart.invariants import (
    addresses_stable,
    containers_run,
    guests_boot,
    mounts_answer,
    names_resolve,
    nothing_else_changed,
    services_answer,
)
from blackstart.invariants.base import Evidence, Invariant
from blackstart.model.facts import ClusterFacts, Observed
from blackstart.model.samples import Series
from blackstart.model.verdict import Verdict

from .site import MACS, MEDIA, WEB, When, good, lost, put, seen, series, site, with_series

INVARIANTS: tuple[Invariant, ...] = (
    guests_boot(),
    guests_boot("a1"),
    names_resolve(),
    containers_run(),
    addresses_stable(),
    services_answer(),
    mounts_answer(),
    nothing_else_changed(date(2026, 6, 15)),
)

WHENS: tuple[When, When] = ("before", "after")


def fact_paths() -> list[str]:
    """Every fact of the snapshot, and every entry as a whole."""
    snapshot = good().after
    found: list[str] = ["cluster"]
    found += [f"names.{name}" for name in snapshot.names]
    found += [f"mounts.{name}" for name in snapshot.mounts]
    found += [f"cluster.{field}" for field in ClusterFacts.model_fields]
    for section in ("hosts", "guests", "compose", "certificates"):
        for name, entry in getattr(snapshot, section).items():
            found.append(f"{section}.{name}")
            found += [f"{section}.{name}.{field}" for field in type(entry).model_fields]
    return found


PATHS = fact_paths()
LEAVES = [path for path in PATHS if path.startswith(("names.", "mounts.")) or path.count(".") > 1]
LEAVES += [path for path in PATHS if path.startswith("cluster.")]

CHANGES: dict[str, list[Any]] = {
    "boot_id": ["first", "second", "third"],
    "failed_units": [(), ("x.service",)],
    "status": ["running", "stopped"],
    "booted": [True, False],
    "node": ["a1", "a2"],
    "interfaces": [{MACS["box"]: ("192.0.2.61",)}, {MACS["box"]: ("192.0.2.99",)}, {}],
    "containers": [(WEB,), (), (WEB.model_copy(update={"state": "exited"}),)],
    "sentinel_sha256": ["abc", "def", ""],
    "addresses": [("192.0.2.61",), ("192.0.2.99",)],
    "verified": [True, False],
    "names": [("192.0.2.61",), (), ("192.0.2.61", "192.0.2.62")],
    "mounts": [(MEDIA,), (), (MEDIA.model_copy(update={"answers": False}),)],
}


def _kind(path: str) -> str:
    if path.startswith(("names.", "mounts.")):
        return path.partition(".")[0]
    if path.startswith("hosts.") and path.endswith(".addresses"):
        return "interfaces"
    return path.rpartition(".")[2]


@st.composite
def fact_change(draw: st.DrawFn) -> Callable[[Evidence], Evidence]:
    when = draw(st.sampled_from(WHENS))
    path = draw(st.sampled_from([path for path in LEAVES if _kind(path) in CHANGES]))
    value = draw(st.sampled_from(CHANGES[_kind(path)]))
    return lambda evidence: put(evidence, when, path, seen(value))


@st.composite
def loss(draw: st.DrawFn) -> Callable[[Evidence], Evidence]:
    """One fact, or one entry, that is not there; or one answer."""
    if draw(st.booleans()):
        when, path = draw(st.sampled_from(WHENS)), draw(st.sampled_from(PATHS))
        value: Observed[Any] | None = lost() if path in LEAVES else None
        return lambda evidence: put(evidence, when, path, value)
    which, turn = draw(st.integers(0, 4)), draw(st.integers(0, 999))

    def without(evidence: Evidence) -> Evidence:
        item = evidence.during[which]
        if not item.samples:
            return evidence
        gone = turn % len(item.samples)
        kept = (*item.samples[:gone], *item.samples[gone + 1 :])
        shorter = item.model_copy(update={"samples": kept})
        during = (*evidence.during[:which], shorter, *evidence.during[which + 1 :])
        return replace(evidence, during=during)

    return without


@st.composite
def flaky_series(draw: st.DrawFn, subject: str) -> Series:
    """An outage, and a few single failures anywhere."""
    began = draw(st.integers(95, 120))
    whole = series(subject, (began, began + draw(st.integers(0, 110))))
    bad = draw(st.sets(st.integers(0, len(whole.samples) - 1), max_size=3))
    samples = tuple(
        sample.model_copy(update={"ok": sample.ok and index not in bad})
        for index, sample in enumerate(whole.samples)
    )
    return whole.model_copy(update={"samples": samples})


@st.composite
def drills(draw: st.DrawFn) -> Evidence:
    evidence = good(hold_s=draw(st.sampled_from([1.0, 10.0, 40.0])))
    if draw(st.booleans()):
        whole = [draw(flaky_series(item.subject)) for item in evidence.during]
        evidence = with_series(evidence, *whole)
    for change in draw(st.lists(fact_change(), max_size=3)):
        evidence = change(evidence)
    return evidence


def verdicts(invariant: Invariant, evidence: Evidence) -> dict[str, Verdict]:
    return {item.target: item.verdict for item in invariant.judge(evidence)}


@settings(deadline=None, max_examples=400)
@given(drills(), st.lists(loss(), min_size=1, max_size=3))
@example(good(), [])
def test_losing_evidence_never_makes_a_pass(
    evidence: Evidence, losses: list[Callable[[Evidence], Evidence]]
) -> None:
    poorer = evidence
    for lose in losses:
        poorer = lose(poorer)
    for invariant in INVARIANTS:
        whole, less = verdicts(invariant, evidence), verdicts(invariant, poorer)
        assert set(whole) == set(less)
        for target, verdict in whole.items():
            if verdict is not Verdict.PASS:
                assert less[target] is not Verdict.PASS, (invariant.name, target)


@pytest.mark.parametrize("invariant", INVARIANTS, ids=str)
def test_the_starting_point_passes(invariant: Invariant) -> None:
    """Or the property above would hold of nothing."""
    assert set(verdicts(invariant, good()).values()) == {Verdict.PASS}


SINGLE_FAILURES = {
    "in the hold": (120.0, 195.0),
    "after the budget": (165.0,),
    "at the very end": (200.0,),
    "the first after the fault": (100.0,),
}


@pytest.mark.parametrize("name", SINGLE_FAILURES)
def test_no_single_answer_can_be_lost_to_make_a_pass(name: str) -> None:
    """At a silence that is tolerated, one lost failure must not read as one long good run."""
    whole = series("guest/box")
    samples = tuple(
        sample.model_copy(update={"ok": sample.at not in SINGLE_FAILURES[name]})
        for sample in whole.samples
    )
    evidence = with_series(good(), whole.model_copy(update={"samples": samples}))
    (invariant,) = [item for item in INVARIANTS if item == guests_boot("a1")]
    first = verdicts(invariant, evidence)["box"]
    for index in range(len(samples)):
        kept = (*samples[:index], *samples[index + 1 :])
        poorer = with_series(evidence, whole.model_copy(update={"samples": kept}))
        if first is not Verdict.PASS:
            assert verdicts(invariant, poorer)["box"] is not Verdict.PASS


NEEDED = {
    "guests-boot": ["guests.box.status", "guests.box.booted", "guests.box.node"],
    "names-resolve": ["names.ns/box.lab.test"],
    "containers-run": ["compose.shop.containers", "compose.shop.sentinel_sha256"],
    "addresses-stable": ["guests.box.interfaces"],
    "mounts-answer": ["mounts.media"],
}


@pytest.mark.parametrize("when", WHENS)
@pytest.mark.parametrize(
    "invariant",
    [item for item in INVARIANTS[1:] if item.name in NEEDED],
    ids=lambda item: item.name,
)
def test_each_fact_an_invariant_rests_on_is_missed(invariant: Invariant, when: When) -> None:
    for path in NEEDED[invariant.name]:
        without = verdicts(invariant, put(good(), when, path, lost()))
        assert Verdict.UNPROVEN in without.values(), path


def test_an_empty_drill_proves_nothing() -> None:
    empty = good(during=())
    for when in WHENS:
        for path in PATHS:
            if path not in LEAVES:
                empty = put(empty, when, path, None)
    for invariant in INVARIANTS:
        assert set(verdicts(invariant, empty).values()) == {Verdict.UNPROVEN}
    bare = good(
        inventory=site(guests={}, dns=None, compose={}, services={}, certificates={}, mounts={})
    )
    for invariant in INVARIANTS[:7]:
        assert set(verdicts(invariant, bare).values()) == {Verdict.UNPROVEN}
