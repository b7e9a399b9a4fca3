"""The sweep's own weapon: at the named step the harness and its children are gone, at once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from blackstart.safety.journal import read
from tests.rack.kill_at import VARIABLE

ROOT = Path(__file__).parents[3]
HARNESS = """
import pathlib, subprocess
from blackstart.drivers.clock import SystemClock
from blackstart.safety.journal import Journal

def test_drill():
    here = pathlib.Path(__file__).parent
    child = subprocess.Popen(["sleep", "600"])
    (here / "child").write_text(str(child.pid))
    journal = Journal(here / "drill", SystemClock())
    try:
        journal.write("fault.planned")
        journal.write("fault.injected")
        journal.write("fault.active")
    finally:
        journal.write("tidied up")
        child.kill()
        child.wait()
"""


def run(directory: Path, step: str) -> int:
    (directory / "test_harness.py").write_text(HARNESS)
    words = [sys.executable, "-m", "pytest", "-q", "-p", "tests.rack.kill_at"]
    words += ["-p", "no:cacheprovider", "--rootdir", str(directory), "-c", os.devnull]
    return subprocess.run(
        [*words, str(directory / "test_harness.py")],
        cwd=ROOT,
        env={**os.environ, VARIABLE: step},
        start_new_session=True,
        capture_output=True,
        timeout=60,
        check=False,
    ).returncode


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


@pytest.mark.parametrize("step", ["fault.planned", "fault.injected"])
def test_it_dies_with_the_step_on_disk_and_nothing_after_it(tmp_path: Path, step: str) -> None:
    assert run(tmp_path, step) == -signal.SIGKILL
    steps = [entry.step for entry in read(tmp_path / "drill" / "journal.jsonl").entries]
    assert steps[-1] == step
    child = int((tmp_path / "child").read_text())
    deadline = time.monotonic() + 10
    while alive(child) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not alive(child)


def test_at_a_step_that_never_comes_it_lives(tmp_path: Path) -> None:
    assert run(tmp_path, "fault.of-nobody") == 0
    steps = [entry.step for entry in read(tmp_path / "drill" / "journal.jsonl").entries]
    assert steps[-1] == "tidied up"
