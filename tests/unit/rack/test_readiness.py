"""Waiting for the machines, asked through an ssh that is made up."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from blackstart.rack import enter, readiness
from blackstart.rack.errors import MachineError
from blackstart.rack.home import Home
from tests.unit.rack.programs import program
from tests.unit.rack.small import SMALL


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setattr(enter, "prefix", list)
    monkeypatch.setattr(readiness, "LOGIN_PAUSE_S", 0.01)
    for machine in SMALL.machines:
        (tmp_path / machine.name).mkdir()
        (tmp_path / machine.name / "serial.log").write_text("booting")
    return Home(tmp_path)


def test_ready_once_every_machine_says_so(programs: Path, home: Home) -> None:
    program(programs, "ssh", "exit 0")
    readiness.wait(home, SMALL, lambda _: None)


def test_a_machine_that_is_not_up_yet_is_asked_again(
    programs: Path, home: Home, tmp_path: Path
) -> None:
    asked = tmp_path / "asked"
    program(programs, "ssh", f"echo >>{asked}; [ $(wc -l <{asked}) -gt 6 ] || exit 255")
    readiness.wait(home, SMALL, lambda _: None)
    assert len(asked.read_text()) >= 7


def test_what_is_missing_is_shown_and_named_at_the_end(
    programs: Path, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(programs, "ssh", "echo maas: not booted; exec sleep 60")
    monkeypatch.setattr(readiness, "BOOT_LIMIT_S", 1.0)
    said: list[str] = []
    with pytest.raises(MachineError) as late:
        readiness.wait(home, SMALL, said.append)
    assert "one: maas: not booted" in str(late.value)
    assert any("maas: not booted" in line for line in said)


def test_a_panicked_kernel_is_not_waited_for(programs: Path, home: Home) -> None:
    program(programs, "ssh", "exit 255")
    home.machine("two").serial_log.write_text("Kernel panic - not syncing")
    begun = time.monotonic()
    with pytest.raises(MachineError, match="two: its kernel panicked"):
        readiness.wait(home, SMALL, lambda _: None)
    assert time.monotonic() - begun < 10


def test_clocks_are_set_and_checked(
    programs: Path, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(programs, "ssh", "cat >/dev/null; date +%s.%N")
    readiness.set_clocks(home, SMALL)
    program(programs, "ssh", "cat >/dev/null; echo 1000000000.5")
    monkeypatch.setattr(readiness, "CLOCK_LIMIT_S", 0.5)
    with pytest.raises(MachineError, match="clock is not right"):
        readiness.set_clocks(home, SMALL)
