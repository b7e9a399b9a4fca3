"""The dead-man's lease: who renews it, and how a drill learns that it has fired."""

from __future__ import annotations

from pathlib import Path

import pytest

from blackstart.drill import Drill
from blackstart.errors import Rejected, TimedOut, Unreachable
from blackstart.model.deadman import DeadMan
from blackstart.safety.renewal import Renewal
from tests.simulation.drilling import Harness
from tests.simulation.families import fault_of, shared_site
from tests.simulation.world import Lies, SimulatedClock, World


class Answers:
    """A control that answers as it is told."""

    def __init__(self) -> None:
        self.error: Exception | None = None

    def renew(self, deadman: DeadMan) -> None:
        if self.error is not None:
            raise self.error


@pytest.fixture
def clock() -> SimulatedClock:
    return SimulatedClock(Lies())


@pytest.fixture
def answers() -> Answers:
    return Answers()


@pytest.fixture
def renewal(clock: SimulatedClock, answers: Answers) -> Renewal:
    return Renewal(answers, DeadMan("x", "nas1", 12), clock)  # type: ignore[arg-type]


def test_four_renewals_a_lease(renewal: Renewal) -> None:
    assert renewal.period_s == 3.0


@pytest.mark.parametrize("error", [Unreachable("gone"), TimedOut("late")])
def test_a_silent_host_is_trouble_only_after_the_lease(
    renewal: Renewal, clock: SimulatedClock, answers: Answers, error: Exception
) -> None:
    answers.error = error
    for _ in range(12):
        clock.sleep(1.0)
        renewal.renew()
        assert renewal.trouble() is None
    clock.sleep(0.5)
    assert "nas1 could not be told for 12 s" in str(renewal.trouble())


def test_an_answer_in_time_begins_the_lease_anew(
    renewal: Renewal, clock: SimulatedClock, answers: Answers
) -> None:
    answers.error = Unreachable("gone")
    clock.sleep(11.0)
    renewal.renew()
    answers.error = None
    renewal.renew()
    clock.sleep(11.0)
    assert renewal.trouble() is None


def test_that_it_has_fired_is_trouble_at_once_and_for_ever(
    renewal: Renewal, answers: Answers
) -> None:
    answers.error = Rejected("nas1: the dead-man x has fired")
    renewal.renew()
    answers.error = None
    renewal.renew()
    assert renewal.trouble() == "nas1: the dead-man x has fired"


def test_a_long_hold_outlives_many_leases(tmp_path: Path) -> None:
    harness = Harness(tmp_path, World(shared_site()))
    assert harness.run(fault_of("nas-block"), hold_s=300.0) == "pass"
    assert not harness.world.fired


def test_a_suspended_harness_whose_dead_man_fired_does_not_inject(tmp_path: Path) -> None:
    """Suspended between arming (second 6.0) and the command (6.5): exit 75."""
    world = World(shared_site(), Lies(suspended=(6.5, 100.0)))
    harness = Harness(tmp_path, world)
    assert harness.run(fault_of("nas-block"), hold_s=30.0) == "unproven"
    assert list(world.fired) == ["one"]
    assert not world.bitten
    assert not harness.open()
    (judged,) = harness.journal().of("judgement")
    assert "the dead-man has fired before its time" in judged.data["reason"]


def test_a_harness_suspended_during_the_fault_learns_of_it(tmp_path: Path) -> None:
    world = World(shared_site(), Lies(suspended=(20.0, 100.0)))
    harness = Harness(tmp_path, world)
    assert harness.run(fault_of("nas-block"), hold_s=60.0) == "unproven"
    assert list(world.fired) == ["one"]
    assert not harness.open()
    assert not world.ails()


def test_one_that_slept_right_before_the_revert_learns_of_it(tmp_path: Path) -> None:
    """Nothing is waited for any more when it wakes up, and the fault is not its own."""
    world = World(shared_site(), Lies(suspended=(10.0, 20.0)))
    harness = Harness(tmp_path, world)
    assert harness.run(fault_of("nas-stop")) == "unproven"
    assert [it.data["name"] for it in harness.journal().of("judgement")] == ["dead-man"]
    assert list(world.fired) == ["one"]
    assert not harness.open()


def test_a_short_sleep_changes_nothing(tmp_path: Path) -> None:
    world = World(shared_site(), Lies(suspended=(20.0, 2.0)))
    assert Harness(tmp_path, world).run(fault_of("nas-block"), hold_s=30.0) == "pass"
    assert not world.fired


def test_a_sleep_within_the_lease_leaves_only_unproven_what_was_not_watched(
    tmp_path: Path,
) -> None:
    """Its dead-man waits; but nobody asked the name servers for longer than they may be down."""
    world = World(shared_site(), Lies(suspended=(20.0, 5.0)))
    harness = Harness(tmp_path, world)
    assert harness.run(fault_of("nas-block"), hold_s=30.0) == "unproven"
    judged = [it.data for it in harness.journal().of("judgement") if it.data["verdict"] != "pass"]
    assert [(it["name"], it["target"]) for it in judged] == [("never-down", "names")]
    assert not world.fired


def test_what_no_promise_covers_and_is_away_is_no_pass(tmp_path: Path) -> None:
    """The NAS answers its clients, and the harness has not seen it hold since it was away."""
    world = World(shared_site(), Lies(partitions={"nas1": (8.2, 128.2)}))
    harness = Harness(tmp_path, world)
    assert harness.run(fault_of("nas-stop")) == "unproven"
    judged = [it.data for it in harness.journal().of("judgement") if it.data["verdict"] != "pass"]
    assert [(it["name"], it["target"]) for it in judged] == [("recovered", "node/nas1")]
    assert not world.ails()


@pytest.mark.parametrize("lies", [Lies(arm_refused=True), Lies(arm_swallowed=True)])
def test_without_a_dead_man_nothing_is_broken(tmp_path: Path, lies: Lies) -> None:
    world = World(shared_site(), lies)
    harness = Harness(tmp_path, world)
    assert harness.run(fault_of("nas-stop")) == "unproven"
    assert not world.bitten
    assert not harness.open()


def test_network_loss_longer_than_the_lease(tmp_path: Path) -> None:
    """The target is healed on time by its dead-man; the drill proves nothing; nothing is left."""
    world = World(shared_site(), Lies(partitions={"nas1": (14.0, 60.0)}))
    harness = Harness(tmp_path, world)
    healed_at: list[float] = []

    def watch(drill: Drill) -> None:
        world.clock.on_tick.append(
            lambda: healed_at.append(world.elapsed) if not world.hosts["nas1"].tables else None
        )
        drill.hold(60.0)

    assert harness.run(fault_of("nas-block"), body=watch) == "unproven"
    assert healed_at[0] < 14.0 + 12.0 + 10.0
    assert list(world.fired) == ["one"]
    assert harness.recover() == ()
    assert not world.ails()


def test_a_household_without_names_is_told_of_a_drill_that_proves_nothing_else(
    tmp_path: Path,
) -> None:
    """Both name servers go away once the drill is broken off, while the fault is undone."""
    away = {"nas1": (14.0, 60.0), "dns1": (28.0, 58.0), "dns2": (28.0, 58.0)}
    harness = Harness(tmp_path, World(shared_site(), Lies(partitions=away)))
    assert harness.run(fault_of("nas-block"), hold_s=60.0) == "fail"
    judged = {it.data["name"]: it.data for it in harness.journal().of("judgement")}
    assert {name: it["verdict"] for name, it in judged.items()} == {
        "dead-man": "unproven",
        "never-down": "fail",
    }
    assert "none of dns/dns1, dns/dns2 answered for" in judged["never-down"]["reason"]


def test_who_was_killed_is_told_though_the_hypervisor_was_deaf_for_longer_than_its_lease(
    tmp_path: Path,
) -> None:
    """As a hypervisor without memory is, before its kernel kills."""
    deaf = Lies(import_kills=True, partitions={"a1": (14.0, 114.0)})
    harness = Harness(tmp_path, World(shared_site(), deaf))
    assert harness.run(fault_of("image-sync"), hold_s=120.0) == "fail"
    judged = [it.data for it in harness.journal().of("judgement")]
    assert [(it["name"], it["target"], it["verdict"]) for it in judged] == [
        ("dead-man", "a1", "unproven"),
        ("nobody-killed", "a1", "fail"),
    ]
    assert "the kernel of a1 killed dns1" in judged[1]["reason"]


def test_network_loss_beyond_the_end_of_the_drill(tmp_path: Path) -> None:
    """The same, and nobody can look: it stays open until recover can."""
    world = World(shared_site(), Lies(partitions={"nas1": (14.0, 1000.0)}))
    harness = Harness(tmp_path, world)
    assert harness.run(fault_of("nas-block"), hold_s=60.0) == "fail"
    assert len(harness.open()) == 1
    assert not world.ails()
    (tried,) = harness.recover()
    assert not tried.proof.holds
    world.clock.pass_without_harness(1000.0 - world.elapsed)
    assert [item.proof.holds for item in harness.recover()] == [True]
    assert not harness.open()
