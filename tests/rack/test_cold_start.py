"""A cold start of real machines: one that did not go dark is named, and nobody needs us."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from blackstart.rack.topology import PVE
from blackstart.safety.open_faults import open_faults
from tests.rack.command import boot_id, eventually, rack, reachable, status
from tests.rack.drills import BOUND_S, INVENTORY, ROOT, DrillRoom
from tests.rack.test_invariants_red import swallow_next_power_command

RESET_S = 120.0
BEGIN_S = 180.0
"""Guard and steady state, before the first machine goes."""
DARK_S = 30.0 + 120.0
"""For how long the scenario holds the storage off, the last to come back."""
BOOT_S = 300.0
FILE = "test_cold_start.py"

pytestmark = pytest.mark.timeout(BOUND_S + BEGIN_S + DARK_S + BOOT_S + 2 * RESET_S)


@pytest.fixture
def room(tmp_path: Path) -> Iterator[DrillRoom]:
    """A place to drill; the rack is as new before and afterwards, whatever happened."""
    rack("reset", timeout=RESET_S)
    yield DrillRoom(tmp_path)
    rack("reset", timeout=RESET_S)


def test_one_controller_that_swallows_its_command_is_named(room: DrillRoom) -> None:
    swallow_next_power_command("nas1")
    told = room.run("test_cold_start", PVE.site, file=FILE)
    assert (told.exit_code, told.summary["verdict"]) == (3, "unproven")
    reason = told.in_terminal("unproven")["fault-bit", PVE.site]
    assert "the fault did not bite: nas1 runs on with boot id" in reason
    assert "pve" not in reason
    assert open_faults(room.drills, PVE.site) == ()


@contextmanager
def drilling(room: DrillRoom) -> Iterator[subprocess.Popen[bytes]]:
    """The drill under way, in a process group of its own; killed at the end."""
    words = ["scenarios/" + FILE, "--inventory", str(INVENTORY), "--arm", PVE.site]
    words += ["--drills", str(room.drills)]
    with (room.directory / "terminal").open("wb") as terminal:
        harness = subprocess.Popen(
            [sys.executable, "-m", "pytest", *words],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=terminal,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            yield harness
        finally:
            os.killpg(harness.pid, signal.SIGKILL)
            harness.wait(10)


def powers() -> set[str]:
    """What the machines' controllers say."""
    return {machine["power"] for machine in status()["machines"].values()}


def test_killed_in_the_dark_every_machine_comes_back_without_the_harness(room: DrillRoom) -> None:
    names = [machine.name for machine in PVE.machines]
    before = {name: boot_id(name) for name in names}
    with drilling(room):
        eventually(lambda: powers() == {"Off"}, BEGIN_S)
    (fault,) = open_faults(room.drills, PVE.site)
    assert fault.plan.fault == "cold-start"
    eventually(lambda: powers() == {"On"}, DARK_S + 10.0)
    eventually(lambda: all(map(reachable, names)), BOOT_S)
    assert not {name for name in names if boot_id(name) == before[name]}
    words = ["recover", "--inventory", str(INVENTORY), "--drills", str(room.drills)]
    recovered = subprocess.run(
        [sys.executable, "-m", "blackstart", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=BOOT_S,
        check=False,
    )
    assert recovered.returncode == 0, recovered.stdout + recovered.stderr
    assert "timer, as ordered: pve1, pve2, nas1" in recovered.stdout
    assert open_faults(room.drills, PVE.site) == ()
