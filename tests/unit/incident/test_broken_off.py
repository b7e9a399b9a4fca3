"""A replay that is broken off, with processes of its own: its drill puts back before all else.

The commands are small programs, as in ``test_bench``; the process that replays is a real one.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest

from blackstart import cli_incidents
from blackstart.errors import Refusal, Unproven
from blackstart.incident import process
from blackstart.incident.bench import RackBench
from blackstart.rack import host

from .drifts import ROOT

RACK_COMMAND = """
import sys
with open("said", "a") as said:
    said.write("|".join(sys.argv[1:]) + "\\n")
"""
VERIFY = """
import pathlib, sys
to = pathlib.Path(sys.argv[sys.argv.index("--json") + 1])
to.write_text('{"decision": "go", "findings": []}')
"""
DRILL = """
import subprocess, sys, time
def say(text):
    with open("said", "a") as said:
        said.write(f"drill: {text}\\n")
below = subprocess.Popen([sys.executable, "below.py"])
try:
    say("the fault is active")
    time.sleep(60)
except KeyboardInterrupt:
    try:
        time.sleep(%s)
        say("reverted")
    except KeyboardInterrupt:
        say("left as it is")
"""
BELOW = """
import os, pathlib, time
pathlib.Path("below").write_text(str(os.getpid()))
try:
    time.sleep(60)
except KeyboardInterrupt:
    pass
%s
"""
REPLAY = """
import pathlib, sys
from blackstart import cli, cli_incidents
from blackstart.incident.bench import RackBench
cli_incidents.RackBench = lambda file, inventory, checkout, log: RackBench(
    file, inventory, pathlib.Path.cwd(), log
)
cli.main()
"""
WORDS = ("incidents", "run", "--inventory", str(ROOT / "inventory/rack.yaml"), "--results", "kept")
NAMED = ("2025-12-07-missing-efi-disk", "efi-file-gone")
ACTIVE = "drill: the fault is active"
BOUND_S = 120.0


@pytest.fixture
def home(tmp_path: Path) -> Path:
    for path, text in (
        ("blackstart/__init__.py", ""),
        ("blackstart/__main__.py", VERIFY),
        ("blackstart/rack/__init__.py", ""),
        ("blackstart/rack/__main__.py", RACK_COMMAND),
        ("pytest.py", DRILL % 0.5),
        ("below.py", BELOW % ""),
        ("start/replay.py", REPLAY),
        ("said", ""),
    ):
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return tmp_path


def environment(home: Path) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "XDG_STATE_HOME": str(home / "state")}


@contextmanager
def replaying(home: Path) -> Iterator[subprocess.Popen[str]]:
    """``blackstart incidents run``, ended at the latest with the block."""
    with subprocess.Popen(
        [sys.executable, str(home / "start/replay.py"), *WORDS, *NAMED],
        cwd=home,
        env=environment(home),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as child:
        try:
            yield child
        finally:
            child.kill()


def said(home: Path) -> list[str]:
    return home.joinpath("said").read_text().splitlines()


def wait_for(home: Path, line: str, child: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + BOUND_S
    while line not in said(home):
        assert child.poll() is None, child.communicate()[0]
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_drill_puts_back_then_the_drift_is_mended_and_the_rack_reset(
    home: Path, number: signal.Signals
) -> None:
    with replaying(home) as child:
        wait_for(home, ACTIVE, child)
        child.send_signal(number)
        output = child.communicate(timeout=BOUND_S)[0]
    lines = said(home)
    assert lines[lines.index(ACTIVE) + 1] == "drill: reverted"
    assert lines[lines.index(ACTIVE) + 2].startswith("ssh|pve1|--|set -eu")  # the fix
    assert lines[-1] == "reset"
    assert f"broken off (received {number.name}); no drift is applied" in output
    assert child.returncode == 3
    kept = json.loads(home.joinpath("kept", f"{'@'.join(NAMED)}.json").read_text())
    assert kept["trouble"] == ["broken off: KeyboardInterrupt"]
    assert not home.joinpath("kept/applied.json").exists()


def here(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same command in this process, with the same small programs."""
    monkeypatch.chdir(home)
    monkeypatch.setenv("XDG_STATE_HOME", str(home / "state"))
    monkeypatch.setattr(
        cli_incidents,
        "RackBench",
        lambda file, inventory, _, log: RackBench(file, inventory, home, log),
    )
    cli_incidents.incidents([*WORDS[1:], *NAMED], standalone_mode=False)


def test_a_second_one_is_refused_and_told_who_replays(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with replaying(home) as first:
        wait_for(home, ACTIVE, first)
        before = said(home)
        with pytest.raises(Refusal) as refused:
            here(home, monkeypatch)
        output = str(refused.value)
        assert "lease: site rack is held by " in output
        assert f"(process {first.pid}) since " in output
        assert "for replaying incidents; wait for it, or stop it: Ctrl-C or SIGTERM" in output
        assert said(home) == before
        first.send_signal(signal.SIGTERM)
        first.communicate(timeout=BOUND_S)


def test_ctrl_c_before_anything_has_begun_is_told(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ctrl_c() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(host, "ask_for_root", ctrl_c)  # where sudo asks for a password
    with pytest.raises(Unproven, match=r"^broken off \(Ctrl-C\); no drift is applied$"):
        here(home, monkeypatch)
    assert said(home) == []


def call(home: Path) -> None:
    log = home / "log.txt"
    process.run("pytest", ("scenario",), directory=home, log=log, timeout_s=1.0)


@pytest.fixture
def begun(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The time of a call begins once all of its processes run, on a busy machine as well."""
    start = process._start

    def started(
        command: Sequence[str], directory: Path, out: IO[bytes], err: IO[bytes]
    ) -> subprocess.Popen[bytes]:
        child = start(command, directory, out, err)
        deadline = time.monotonic() + BOUND_S
        while ACTIVE not in said(home) or not below(home):
            assert child.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        return child

    monkeypatch.setattr(process, "_start", started)


def below(home: Path) -> str:
    """The number of the drill's own child, once it runs."""
    file = home / "below"
    return file.read_text() if file.exists() else ""


def gone(pid: str) -> bool:
    """Whether it ends, within 20 s: what was killed needs a processor to do so."""
    deadline = time.monotonic() + 20.0
    while time.monotonic() < deadline:
        try:
            stat = Path(f"/proc/{pid}/stat").read_text()
        except (FileNotFoundError, ProcessLookupError):
            return True
        if stat.rpartition(")")[2].split()[0] == "Z":
            return True
        time.sleep(0.05)
    return False


@pytest.mark.usefixtures("begun")
def test_a_late_drill_is_asked_first_as_well(home: Path) -> None:
    with pytest.raises(Unproven, match="pytest scenario did not end within 1 s"):
        call(home)
    assert said(home) == [ACTIVE, "drill: reverted"]
    assert gone(below(home))
    assert home.joinpath("log.txt").read_text() == "$ pytest scenario\nexit 0\n"


@pytest.mark.usefixtures("begun")
def test_one_that_is_stopped_goes_on_to_hear_it(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As sudo is, which asks for a password from the background."""
    monkeypatch.setattr(process, "ENDS", ((signal.SIGINT, 30.0), (signal.SIGKILL, 5.0)))
    stops = "os.kill(os.getpid(), signal.SIGSTOP)"
    drill = DRILL.replace("    time.sleep(60)", f"    {stops}\n    time.sleep(60)")
    home.joinpath("pytest.py").write_text(f"import os, signal\n{drill % 0}")
    with pytest.raises(Unproven, match="did not end within 1 s"):
        call(home)
    assert said(home) == [ACTIVE, "drill: reverted"]


@pytest.mark.usefixtures("begun")
def test_one_that_does_not_end_is_made_to_and_so_are_its_children(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        process, "ENDS", ((signal.SIGINT, 0.5), (signal.SIGTERM, 0.5), (signal.SIGKILL, 5.0))
    )
    monkeypatch.setattr(process, "LEFT_S", 0.2)
    deaf = "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    home.joinpath("pytest.py").write_text(deaf + DRILL % 60)
    home.joinpath("below.py").write_text(deaf + BELOW % "time.sleep(60)")
    with pytest.raises(Unproven, match="did not end within 1 s"):
        call(home)
    assert said(home) == [ACTIVE]
    assert home.joinpath("log.txt").read_text().endswith("exit -9\n")
    assert gone(below(home))
