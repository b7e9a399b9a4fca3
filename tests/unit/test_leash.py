"""The leash: what ends a drill early, and that nothing cuts a revert short."""

from __future__ import annotations

from pathlib import Path

import pytest

from blackstart.leash import Cut, LeashedClock, MustStayUp
from blackstart.model.inventory import NeverDown
from tests.simulation.drilling import Harness
from tests.simulation.families import fault_of, shared_site
from tests.simulation.world import Lies, SimulatedClock, World


class Answering:
    """Probes of which the test says who answers, and whom nobody can ask."""

    def __init__(self, *up: str, unasked: frozenset[str] = frozenset()) -> None:
        self.up = set(up)
        self.unasked = unasked

    def seen_down(self, subject: str) -> bool:
        return subject not in self.up | self.unasked

    def held(self, subject: str) -> float | None:
        return 1.0 if subject in self.up else None


def must_stay_up(probes: Answering, clock: SimulatedClock) -> MustStayUp:
    declared = NeverDown(any_of=("dns/dns1", "dns/dns2"), grace="3s")
    return MustStayUp("names", declared, probes, clock)  # type: ignore[arg-type]


def test_one_member_that_answers_is_enough() -> None:
    clock = SimulatedClock(Lies())
    condition = must_stay_up(Answering("dns/dns2"), clock)
    for _ in range(10):
        clock.sleep(1.0)
        assert condition() is None


def test_a_group_that_is_down_for_longer_than_its_grace_cuts() -> None:
    clock = SimulatedClock(Lies())
    condition = must_stay_up(Answering(), clock)
    assert condition() is None
    clock.sleep(2.5)
    assert condition() is None
    clock.sleep(0.5)
    cut = condition()
    assert cut is not None
    assert (cut.name, cut.target) == ("stop-condition", "names")
    assert "none of dns/dns1, dns/dns2" in str(cut)
    assert cut.harm


def test_a_group_that_nobody_could_ask_cuts_and_is_no_proof_of_harm() -> None:
    clock = SimulatedClock(Lies())
    condition = must_stay_up(Answering(unasked=frozenset({"dns/dns2"})), clock)
    condition()
    clock.sleep(3.0)
    cut = condition()
    assert cut is not None
    assert not cut.harm
    assert "nobody could ask dns/dns2" in str(cut)


def test_an_answer_within_the_grace_counts_anew() -> None:
    clock = SimulatedClock(Lies())
    probes = Answering()
    condition = must_stay_up(probes, clock)
    condition()
    clock.sleep(2.0)
    probes.up.add("dns/dns1")
    assert condition() is None
    probes.up.clear()
    condition()
    clock.sleep(2.5)
    assert condition() is None


def test_a_cut_comes_within_a_second_and_only_while_held_tight() -> None:
    inner = SimulatedClock(Lies())
    clock = LeashedClock(inner)
    fatal = Cut("halted", "lab", "stop")
    began = inner.now
    with pytest.raises(Cut), clock.tight(lambda: fatal if inner.now > began + 5 else None):
        clock.sleep(60.0)
    assert inner.now - began <= 6.0
    clock.sleep(10.0)


def test_a_block_within_a_block_has_its_own_conditions() -> None:
    clock = LeashedClock(SimulatedClock(Lies()))
    with clock.tight(lambda: Cut("halted", "lab", "stop")):
        with clock.tight():
            clock.sleep(5.0)
        with pytest.raises(Cut):
            clock.check()


def test_a_service_that_must_never_go_down_ends_the_drill(tmp_path: Path) -> None:
    world = World(shared_site(), Lies(guests_die={"dns1": 15.0, "dns2": 16.0}))
    harness = Harness(tmp_path, world)
    assert harness.run(fault_of("nas-block"), hold_s=60.0) == "fail"
    judged, harm = harness.journal().of("judgement")
    assert judged.data["name"] == "stop-condition"
    assert judged.at - 1000.0 < 16.0 + 3.0 + 1.5
    assert (harm.data["name"], harm.data["verdict"]) == ("never-down", "fail")
    assert "answered for 6.0s, and 3.0s are allowed" in harm.data["reason"]
    assert not harness.open()
    assert not world.left_behind()


def test_one_of_the_pair_may_fall(tmp_path: Path) -> None:
    world = World(shared_site(), Lies(guests_die={"dns1": 15.0}))
    harness = Harness(tmp_path, world)
    harness.run(fault_of("nas-block"), hold_s=30.0)
    names = {entry.data["name"] for entry in harness.journal().of("judgement")}
    assert "stop-condition" not in names


def test_nothing_cuts_a_revert_short(tmp_path: Path) -> None:
    """The names fall while the revert is tried again and again: it goes on to its end."""
    lies = Lies(guests_die={"dns1": 21.0, "dns2": 21.0}, undo_fails={"drop-nft-table": 5})
    harness = Harness(tmp_path, World(shared_site(), lies))
    harness.run(fault_of("nas-block"), hold_s=10.0)
    assert harness.journal().of("fault.closed")
    assert not harness.world.left_behind()
