"""Halt and resume, with a drill that runs and with one that would."""

from __future__ import annotations

from pathlib import Path

import pytest

from blackstart.drill import Drill
from blackstart.errors import Refusal, UsageError
from blackstart.leash import Cut
from blackstart.safety.halt import halt, halted, resume
from tests.simulation.drilling import Harness
from tests.simulation.families import fault_of, shared_site
from tests.simulation.world import World


@pytest.fixture
def harness(tmp_path: Path) -> Harness:
    return Harness(tmp_path, World(shared_site()))


def test_a_running_drill_reverts_first_and_proves_nothing(harness: Harness) -> None:
    def somebody_halts(drill: Drill) -> None:
        halt(harness.leases, "lab", "guests are coming")
        drill.hold(600.0)

    began = harness.world.clock.now
    assert harness.run(fault_of("nas-block"), body=somebody_halts) == "unproven"
    assert harness.world.clock.now - began < 30.0
    assert not harness.open()
    assert not harness.world.ails()
    judged = [(it.data["name"], it.data["reason"]) for it in harness.journal().of("judgement")]
    assert [name for name, _ in judged] == ["halted"]
    assert "guests are coming" in judged[0][1]


def test_what_is_no_text_or_no_file_halts_all_the_same(tmp_path: Path) -> None:
    path = tmp_path / "lab.halted"
    path.write_bytes(b"\xff\xfe")
    assert halted(tmp_path, "lab") == "halted, by whom cannot be read"
    path.unlink()
    path.mkdir()
    assert halted(tmp_path, "lab") == "halted, by whom cannot be read"


def test_where_nothing_can_be_written_it_says_so(tmp_path: Path) -> None:
    """Nobody may believe that a drill was stopped, or may run again."""
    (tmp_path / "lab.halted").mkdir()
    with pytest.raises(UsageError, match="let XDG_STATE_HOME name"):
        halt(tmp_path, "lab", "visitors")
    with pytest.raises(UsageError, match="let XDG_STATE_HOME name"):
        resume(tmp_path, "lab")
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="let XDG_STATE_HOME name"):
        halt(tmp_path / "file", "lab", "visitors")


@pytest.mark.parametrize("family", ["nas-block", "reboot", "cold-start", "guest-stop"])
def test_a_new_one_is_refused_until_resume(harness: Harness, family: str) -> None:
    halt(harness.leases, "lab", "maintenance")
    with pytest.raises(Refusal, match="maintenance; go on with: blackstart resume"):
        harness.run(fault_of(family))
    assert not harness.world.bitten
    assert resume(harness.leases, "lab")
    assert harness.run(fault_of(family), name="two") == "pass"


def test_halting_while_it_waits_for_steady_state_breaks_nothing(harness: Harness) -> None:
    def halts() -> None:
        if harness.world.elapsed > 2.0:
            halt(harness.leases, "lab", "stop")

    harness.world.clock.on_tick.append(halts)
    with pytest.raises(Cut, match="stop"):
        harness.run(fault_of("nas-block"))
    assert not harness.world.bitten
    assert not harness.open()
    assert harness.verdict() == "unproven"


def test_halting_while_it_waits_for_recovery_ends_it_unproven(harness: Harness) -> None:
    def halts() -> None:
        if "fault.closed" in harness.steps():
            halt(harness.leases, "lab", "stop")

    def once_broken(drill: Drill) -> None:
        harness.world.clock.on_tick.append(halts)

    assert harness.run(fault_of("reboot"), body=once_broken) == "unproven"
    assert not harness.open()


def test_another_site_is_not_halted(tmp_path: Path) -> None:
    halt(tmp_path, "lab", "x")
    assert halted(tmp_path, "home") is None
    assert not resume(tmp_path, "home")


@pytest.mark.parametrize("text", ["", "{", "[]", '"x"', '{"who": "me"}'])
def test_what_cannot_be_read_halts_all_the_same(tmp_path: Path, text: str) -> None:
    (tmp_path / "lab.halted").write_text(text)
    assert halted(tmp_path, "lab") == "halted, by whom cannot be read"
