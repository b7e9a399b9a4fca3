"""Unwinding: retried within a bound, closed only when proven and nothing is left."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from blackstart.drivers.base import CommandResult
from blackstart.errors import DriverError, Rejected, TimedOut, Unreachable
from blackstart.faults.base import Plan, Proof
from blackstart.faults.undoing import Undoing, run_all
from blackstart.model.deadman import DeadMan
from blackstart.safety.journal import Journal, read
from blackstart.unwinding import REVERT_ATTEMPTS, Unwinding
from tests.simulation.drilling import Harness
from tests.simulation.families import fault_of, shared_site
from tests.simulation.world import World


@pytest.fixture
def world() -> World:
    return World(shared_site())


@pytest.fixture
def harness(tmp_path: Path, world: World) -> Harness:
    return Harness(tmp_path, world)


@pytest.fixture
def plan(harness: Harness) -> Plan:
    """A NAS that is blocked, with its dead-man armed."""
    plan = fault_of("nas-block").plan(harness.site)
    plan = replace(plan, deadman=DeadMan("one", "nas1", 12))
    assert plan.deadman is not None
    harness.site.deadmen.arm(plan.deadman, plan.undo)
    fault_of("nas-block").inject(harness.site, plan)
    return plan


@pytest.fixture
def journal(tmp_path: Path, world: World) -> Iterator[Journal]:
    with closing(Journal(tmp_path / "drills" / "one", world.clock)) as opened:
        yield opened


def steps(journal: Journal) -> list[str]:
    return [entry.step for entry in read(journal.path).entries]


def unwind(harness: Harness, journal: Journal, plan: Plan) -> Proof:
    return Unwinding(harness.site, journal, harness.watcher.note).revert(plan, Undoing())


def test_reverted_proven_disarmed_closed(harness: Harness, journal: Journal, plan: Plan) -> None:
    assert unwind(harness, journal, plan).holds
    assert steps(journal) == [
        "fault.revert-tried",
        "fault.revert-proven",
        "deadman.disarmed",
        "fault.closed",
    ]
    assert not harness.world.ails()


@pytest.mark.parametrize("failures", [1, 2])
def test_a_command_that_failed_is_sent_again_before_its_proof_is_waited_for(
    harness: Harness, journal: Journal, plan: Plan, failures: int
) -> None:
    harness.world.lies.undo_fails["drop-nft-table"] = failures
    began = harness.world.clock.now
    assert unwind(harness, journal, plan).holds
    assert steps(journal).count("fault.revert-failed") == failures
    assert steps(journal).count("fault.revert-tried") == 1
    assert harness.world.clock.now - began < 15.0


def test_one_that_never_succeeds_is_given_up_and_stays_armed(
    harness: Harness, journal: Journal, plan: Plan
) -> None:
    harness.world.lies.undo_fails["drop-nft-table"] = 10_000
    proof = unwind(harness, journal, plan)
    assert not proof.holds
    assert "Device or resource busy" in proof.detail
    assert steps(journal).count("fault.revert-failed") == REVERT_ATTEMPTS**2
    assert steps(journal).count("fault.revert-tried") == REVERT_ATTEMPTS
    assert steps(journal)[-1] == "fault.revert-unproven"
    assert list(harness.world.deadmen) == ["one"]  # who could still undo it stays


def test_a_host_that_is_away_is_asked_once_before_each_proof(
    harness: Harness, journal: Journal, plan: Plan
) -> None:
    """Sent again at once, it would only be silent again: for a minute each time."""
    harness.world.lies.partitions["nas1"] = (0.0, 1e9)
    proof = unwind(harness, journal, plan)
    assert "no route to host" in proof.detail
    assert steps(journal).count("fault.revert-failed") == REVERT_ATTEMPTS


class Halting:
    """A runner on which the first command hangs, and ``true`` answers or does not."""

    def __init__(self, *, alive: bool) -> None:
        self.alive = alive
        self.asked: list[str] = []

    def run(
        self, host: str, command: str, *, timeout_s: float, stdin: str | None = None
    ) -> CommandResult:
        self.asked.append(command)
        if len(self.asked) == 1 or not self.alive:
            raise TimedOut(f"{host}: no answer within the bound")
        return CommandResult(0, "", "")

    def forget(self, host: str) -> None:
        """No connection is kept here."""


@pytest.mark.parametrize(("alive", "kind"), [(True, Rejected), (False, Unreachable)])
def test_a_command_that_hangs_stops_the_others_only_where_the_host_hangs(
    harness: Harness, plan: Plan, alive: bool, kind: type[DriverError]
) -> None:
    runner = Halting(alive=alive)
    with pytest.raises(kind, match="drop-nft-table: nas1: no answer within the bound") as caught:
        run_all(replace(harness.site, runner=runner), plan, plan.undo * 2)
    assert type(caught.value) is kind
    others = [plan.undo[0].command()] if alive else []
    assert runner.asked == [plan.undo[0].command(), "true", *others]


def test_success_that_is_only_reported_is_not_believed(
    harness: Harness, journal: Journal, plan: Plan
) -> None:
    harness.world.lies.undo_swallowed = frozenset({"drop-nft-table"})
    assert not unwind(harness, journal, plan).holds
    assert "fault.closed" not in steps(journal)


def test_a_failed_command_whose_effect_is_there_is_proven(
    harness: Harness, journal: Journal, plan: Plan
) -> None:
    """The connection broke after the command had been run: the proof counts."""
    harness.world.lies.undo_fails["drop-nft-table"] = 10_000
    harness.world.hosts["nas1"].tables.clear()
    assert unwind(harness, journal, plan).holds


def test_a_dead_man_that_cannot_be_taken_away_keeps_it_open(
    harness: Harness, journal: Journal, plan: Plan
) -> None:
    unwinding = Unwinding(harness.site, journal, harness.watcher.note)
    harness.world.lies.partitions["nas1"] = (0.0, 1e9)
    proof = unwinding.stand_down(plan, "untouched")
    assert not proof.holds
    assert "unknown, nas1: no route to host" in proof.detail
    assert "fault.closed" not in steps(journal)


def test_what_is_left_of_a_dead_man_keeps_it_open(
    harness: Harness, journal: Journal, plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = ("/etc/systemd/system/blackstart-deadman-one.timer",)
    monkeypatch.setattr(type(harness.site.deadmen), "disarm", lambda self, deadman: left)
    proof = unwind(harness, journal, plan)
    assert not proof.holds
    assert left[0] in proof.detail
    assert "fault.closed" not in steps(journal)
