"""Single questions of hosts: the newest file, the supply; and many hosts side by side."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from blackstart.collect.circumstances import HostCircumstances
from blackstart.drivers.base import CommandResult
from blackstart.errors import TimedOut, Unreachable

from .local import LocalRunner, ScriptedRunner, tool

HERE = HostCircumstances(LocalRunner())


def unreachable(_: str) -> CommandResult:
    raise Unreachable("no route to host")


def put(path: Path, age_s: float, text: str = "x") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    os.utime(path, (time.time() - age_s,) * 2)


class TestNewestFile:
    """The newest file that is whole and not empty."""

    def test_the_newest_counts(self, tmp_path: Path) -> None:
        put(tmp_path / "a 1/old.tar", 9000)
        put(tmp_path / "b/new.tar", 500)
        put(tmp_path / "b/empty.tar", 10, "")
        put(tmp_path / ".partial-x/half.tar", 10)
        seen = HERE.newest_file("nas", str(tmp_path)).value
        assert seen is not None
        assert seen.path == "./b/new.tar"
        assert seen.age_s == pytest.approx(500, abs=3)

    def test_its_age_may_be_negative(self, tmp_path: Path) -> None:
        put(tmp_path / "new.tar", -9000)
        seen = HERE.newest_file("nas", str(tmp_path)).value
        assert seen is not None
        assert seen.age_s < -8000

    def test_no_file(self, tmp_path: Path) -> None:
        assert HERE.newest_file("nas", str(tmp_path)).error == "there is no file in it"

    def test_no_directory(self, tmp_path: Path) -> None:
        assert "missing" in str(HERE.newest_file("nas", str(tmp_path / "missing")).error)

    def test_no_answer(self) -> None:
        blind = HostCircumstances(ScriptedRunner({"nas": unreachable}))
        assert blind.newest_file("nas", "/srv").error == "no route to host"


class TestUps:
    """upsc's word, and nothing made of its failure."""

    def test_its_word(self, tmp_path: Path) -> None:
        tool(tmp_path, "upsc", '[ "$1 $2" = "rack@localhost ups.status" ] && echo "OB DISCHRG"')
        seen = HostCircumstances(LocalRunner(tmp_path)).ups("nas", "rack")
        assert seen.value == "OB DISCHRG"

    @pytest.mark.parametrize(
        ("text", "why"),
        [
            ("echo Error: Data stale >&2; exit 1", "Error: Data stale"),
            ("true", "exit 0"),
            ("exit 3", "exit 3"),
        ],
    )
    def test_no_word(self, tmp_path: Path, text: str, why: str) -> None:
        tool(tmp_path, "upsc", text)
        seen = HostCircumstances(LocalRunner(tmp_path)).ups("nas", "rack")
        assert (seen.value, seen.error) == (None, why)

    def test_no_answer(self) -> None:
        blind = HostCircumstances(ScriptedRunner({"nas": unreachable}))
        assert blind.ups("nas", "rack").error == "no route to host"


def test_one_host_that_does_not_answer_spoils_no_other() -> None:
    def hang(_: str) -> CommandResult:
        raise TimedOut("no answer within 30 s")

    local = LocalRunner()
    answers = {"ill": hang, "well": lambda script: local.run("x", script, timeout_s=30)}
    seen = HostCircumstances(ScriptedRunner(answers)).work(("ill", "well"))
    assert seen["ill"].error == "no answer within 30 s"
    assert seen["well"].value is not None


def test_this_machine_knows_where_it_is() -> None:
    assert HERE.here().value is not None


def test_notes_of_several_hosts() -> None:
    notes = HERE.by_hand({"a": (), "b": ("99999999",)})
    assert notes["a"].value is not None
    assert "guest 99999999 has no configuration here" in str(notes["b"].error)
