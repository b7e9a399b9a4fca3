"""The run-time record: processes are known by id and start time, never by id alone."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from blackstart.rack import record
from blackstart.rack.record import Process, Record


@pytest.fixture
def child() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(["sleep", "60"]) as process:
        yield process
        process.kill()


@pytest.fixture(autouse=True)
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(record, "RUNTIME", tmp_path / "run")
    return tmp_path / "run"


def test_a_process_is_alive_until_it_ended(child: subprocess.Popen[bytes]) -> None:
    process = Process.of(child.pid)
    assert process is not None
    assert process.alive
    child.kill()
    child.wait()
    assert not process.alive
    assert Process.of(child.pid) is None


def test_another_process_with_the_same_id_is_not_ended(child: subprocess.Popen[bytes]) -> None:
    Process(child.pid, started=1).end(grace=0.1)
    assert child.poll() is None


def test_a_process_that_ignores_sigterm_is_ended(tmp_path: Path) -> None:
    stubborn = (
        "import signal, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
        "print(flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", stubborn], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        process = Process.of(child.pid)
        assert process is not None
        process.end(grace=0.2)
        assert child.wait(5) == -9


def test_the_record_is_read_as_it_was_written() -> None:
    own = Process.of(os.getpid())
    written = Record("pve", "/clone", "/home", "ready", own)
    written.write()
    assert record.read() == written
    assert written.alive


def test_without_its_controller_a_rack_is_not_alive() -> None:
    assert not Record("pve", "/clone", "/home", "starting").alive
    assert not Record("pve", "/clone", "/home", "ready", Process(os.getpid(), 1)).alive


@pytest.mark.parametrize("content", ["", "{", "[]", '{"topology": "pve"}'])
def test_a_damaged_record_is_as_good_as_none(runtime: Path, content: str) -> None:
    runtime.mkdir()
    (runtime / "rack.json").write_text(content)
    assert record.read() is None


def test_noted_machines_are_found_again(child: subprocess.Popen[bytes], runtime: Path) -> None:
    runtime.mkdir()
    record.note_machine("one", child.pid)
    (runtime / "damaged.pid").write_text("{")
    assert record.noted_machines() == [Process.of(child.pid)]
