"""Nothing is left behind: not by down, not by a killed controller, not by a killed up."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from blackstart.rack import network, record
from blackstart.rack.home import RUNTIME
from tests.rack.command import COLD_S, eventually, rack, status, timed

SAVED_LIMIT_S = 20


@pytest.fixture(autouse=True)
def up() -> None:
    rack("up", timeout=COLD_S)


def processes() -> list[int]:
    """The controller's and the machines' process ids."""
    entry = record.read()
    assert entry is not None
    assert entry.controller is not None
    machines = [machine["pid"] for machine in status()["machines"].values()]
    return [entry.controller.pid, *machines]


def nothing_left(pids: list[int]) -> bool:
    gone = [record.Process.of(pid) is None for pid in pids]
    return all(gone) and not network.exists() and not RUNTIME.exists()


def test_down_leaves_nothing_and_up_from_saved_state_is_quick() -> None:
    pids = processes()
    rack("down")
    assert nothing_left(pids)
    assert rack("status", check=False).returncode == 1
    assert rack("ssh", "pve1", "--", "true", check=False).returncode == 2
    took = timed("up", timeout=120)
    assert status()["healthy"]
    assert took < SAVED_LIMIT_S


def test_machines_die_with_a_killed_controller_and_up_starts_anew() -> None:
    controller, *machines = processes()
    os.kill(controller, signal.SIGKILL)
    eventually(lambda: all(record.Process.of(pid) is None for pid in machines), 10)
    now = status()
    assert not now["healthy"]
    assert "does not answer" in now["problem"]
    rack("up", timeout=COLD_S)
    assert status()["healthy"]


def test_an_up_killed_half_way_is_cleaned_up() -> None:
    rack("down")
    with subprocess.Popen(
        [sys.executable, "-m", "blackstart.rack", "up"], stderr=subprocess.DEVNULL
    ) as begun:
        eventually(lambda: bool(list(Path(RUNTIME).glob("*.pid"))), 30)
        begun.kill()
    pids = [process.pid for process in record.noted_machines()]
    assert pids
    rack("down")
    assert nothing_left(pids)
