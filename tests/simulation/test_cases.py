"""Every case of ``tests/cases`` against its golden journal.

A golden that is missing fails. To write them all anew, and then read the diff:

    BLACKSTART_WRITE_GOLDEN=1 pytest tests/simulation/test_cases.py
"""

from __future__ import annotations

import difflib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from .cases import tell
from .families import CASES
from .killing import scratch

FOLDERS = sorted(path.parent for path in CASES.glob("*/commands"))
GOLDEN = "journal.golden"
WRITE = "BLACKSTART_WRITE_GOLDEN"


@pytest.fixture
def root() -> Iterator[Path]:
    made = scratch()
    yield made
    shutil.rmtree(made)


def compare(folder: Path, told: str) -> None:
    """Raises ``AssertionError`` when the golden is missing, or is not what was told."""
    golden = folder / GOLDEN
    if os.environ.get(WRITE):
        golden.write_text(told)
    assert golden.exists(), f"{golden} is missing; read what the case tells, then set {WRITE}=1"
    was = golden.read_text()
    diff = difflib.unified_diff(was.splitlines(), told.splitlines(), "golden", "now", lineterm="")
    assert told == was, "\n".join(diff)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.name)
def test_case(folder: Path, root: Path) -> None:
    compare(folder, tell(folder, root))


def test_there_are_cases() -> None:
    assert len(FOLDERS) >= 14


def copied(tmp_path: Path) -> Path:
    return Path(shutil.copytree(CASES / "nas-block", tmp_path / "nas-block"))


def test_a_missing_golden_fails(
    tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(WRITE, raising=False)
    folder = copied(tmp_path)
    (folder / GOLDEN).unlink()
    with pytest.raises(AssertionError, match="is missing"):
        compare(folder, tell(folder, root))


def test_a_changed_golden_fails_with_the_difference(
    tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(WRITE, raising=False)
    folder = copied(tmp_path)
    golden = folder / GOLDEN
    golden.write_text(golden.read_text().replace("fault.active", "fault.inactive"))
    with pytest.raises(AssertionError, match=r"\+.*fault\.active"):
        compare(folder, tell(folder, root))


def test_an_expectation_that_does_not_hold_fails(tmp_path: Path, root: Path) -> None:
    folder = copied(tmp_path)
    commands = folder / "commands"
    commands.write_text(commands.read_text().replace("verdict pass", "verdict fail"))
    with pytest.raises(AssertionError, match="expect verdict fail: pass"):
        tell(folder, root)


def test_an_unknown_lie_fails(tmp_path: Path, root: Path) -> None:
    folder = copied(tmp_path)
    (folder / "world.yaml").write_text("no_such_lie: true\n")
    with pytest.raises(ValueError, match="no_such_lie"):
        tell(folder, root)
