"""Where a command's JSON goes: a file at once or not at all, and no device is replaced by one."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from blackstart.cli_output import STDOUT, console, put


def test_a_file_is_new_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    file = tmp_path / "out.json"
    file.write_text("old")
    put("new\n", file)
    assert file.read_text() == "new\n"
    assert [it.name for it in tmp_path.iterdir()] == ["out.json"]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    link = tmp_path / "latest.json"
    link.symlink_to("out.json")
    put("new\n", link)
    assert link.is_symlink()
    assert (tmp_path / "out.json").read_text() == "new\n"


def test_a_pipe_is_written_to_and_never_replaced(tmp_path: Path) -> None:
    """As ``/dev/stdout`` and ``/dev/null`` are, which root could replace."""
    pipe, read = tmp_path / "pipe", []
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: read.append(pipe.read_text()), daemon=True)
    reader.start()
    put("new\n", pipe)
    if not pipe.is_fifo():
        pytest.fail("the pipe was replaced by a file")
    reader.join(5)
    assert read == ["new\n"]


def test_standard_output_is_for_the_program_alone(capsys: pytest.CaptureFixture[str]) -> None:
    console(STDOUT).print("for a person")
    put("{}\n", STDOUT)
    assert capsys.readouterr() == ("{}\n", "for a person\n")


def test_a_person_reads_standard_output_otherwise(capsys: pytest.CaptureFixture[str]) -> None:
    console(None).print("for a person")
    assert capsys.readouterr() == ("for a person\n", "")


@pytest.mark.parametrize("name", ["-", "/dev/stdout", "/dev/fd/1"])
def test_standard_output_that_goes_into_a_file_is_continued(tmp_path: Path, name: str) -> None:
    """``--json /dev/stdout >>history`` must neither replace that file nor cut it."""
    history = tmp_path / "history"
    history.write_text("before\n")
    words = "console(to).print('for a person'); put('new', to)"
    code = f"from blackstart.cli_output import *; to = Path({name!r}); {words}"
    with history.open("a") as file:
        subprocess.run(
            [sys.executable, "-c", code], stdout=file, stderr=subprocess.DEVNULL, check=True
        )
    assert history.read_text() == "before\nnew"


def test_what_cannot_be_written_leaves_the_old_one_alone(tmp_path: Path) -> None:
    file = tmp_path / "out.json"
    file.write_text("old")
    with pytest.raises(UnicodeEncodeError):
        put("\ud800", file)
    assert file.read_text() == "old"
    assert [it.name for it in tmp_path.iterdir()] == ["out.json"]


def test_who_may_read_it_stays(tmp_path: Path) -> None:
    file = tmp_path / "out.json"
    file.write_text("old")
    file.chmod(0o600)
    put("new\n", file)
    assert file.read_text() == "new\n"
    assert file.stat().st_mode & 0o777 == 0o600
