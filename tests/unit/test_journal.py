"""The journal: on disk when written, chained, and readable after a torn last line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blackstart.errors import JournalError
from blackstart.safety.journal import FILE_NAME, Journal, read
from tests.simulation.lies import Lies
from tests.simulation.world import SimulatedClock


def written(directory: Path, *steps: str) -> Path:
    journal = Journal(directory, SimulatedClock(Lies()))
    for step in steps:
        journal.write(step, answer=42)
    journal.close()
    return journal.path


def test_what_was_written_is_read_back(tmp_path: Path) -> None:
    reading = read(written(tmp_path, "drill.begin", "drill.end"))
    assert [entry.step for entry in reading.entries] == ["drill.begin", "drill.end"]
    assert [entry.seq for entry in reading.entries] == [0, 1]
    assert not reading.torn


def test_a_torn_last_line_hides_nothing_before_it(tmp_path: Path) -> None:
    path = written(tmp_path, "drill.begin", "fault.planned", "drill.end")
    path.write_bytes(path.read_bytes()[:-20])
    reading = read(path)
    assert reading.torn
    assert [entry.step for entry in reading.entries] == ["drill.begin", "fault.planned"]


def test_writing_goes_on_after_a_torn_line(tmp_path: Path) -> None:
    path = written(tmp_path, "drill.begin", "fault.planned")
    path.write_bytes(path.read_bytes()[:-20])
    written(tmp_path, "fault.revert-proven")
    reading = read(path)
    assert not reading.torn
    assert [entry.step for entry in reading.entries] == ["drill.begin", "fault.revert-proven"]


@pytest.mark.parametrize("line", [0, 1])
def test_an_altered_line_is_noticed(tmp_path: Path, line: int) -> None:
    path = written(tmp_path, "drill.begin", "judgement", "drill.end")
    lines = path.read_text().splitlines()
    record = json.loads(lines[line])
    record["data"]["answer"] = 43
    lines[line] = json.dumps(record, sort_keys=True)
    path.write_text("\n".join(lines) + "\n")
    with pytest.raises(JournalError, match=f":{line + 1}: damaged"):
        read(path)


def test_a_removed_line_is_noticed(tmp_path: Path) -> None:
    path = written(tmp_path, "drill.begin", "judgement", "drill.end")
    lines = path.read_text().splitlines()
    path.write_text("\n".join([lines[0], lines[2], ""]))
    with pytest.raises(JournalError):
        read(path)


def test_a_journal_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="cannot read"):
        read(tmp_path / FILE_NAME)


@given(cut=st.integers(min_value=0, max_value=1200))
def test_any_truncation_gives_a_prefix(tmp_path_factory: pytest.TempPathFactory, cut: int) -> None:
    path = written(tmp_path_factory.mktemp("journal"), "drill.begin", "a", "b", "drill.end")
    whole = read(path).entries
    path.write_bytes(path.read_bytes()[:cut])
    reading = read(path)
    assert reading.entries == whole[: len(reading.entries)]
