"""A result of the kill sweep counts for the code that gave it, and for no other."""

from __future__ import annotations

from pathlib import Path

from tests.rack.sweeping import Room, digest


def test_a_good_point_is_good_for_the_same_code_only(tmp_path: Path) -> None:
    Room(tmp_path, code="today").keep("nas-stop@fault.active", good=True)
    assert Room(tmp_path, code="today").is_good("nas-stop@fault.active")
    assert not Room(tmp_path, code="tomorrow").is_good("nas-stop@fault.active")


def test_a_point_that_did_not_end_or_was_not_swept_is_not_good(tmp_path: Path) -> None:
    room = Room(tmp_path, code="today")
    room.keep("nas-stop@fault.active", good=False, why="did not end")
    assert not room.is_good("nas-stop@fault.active")
    assert not room.is_good("nas-stop@fault.injected")


def test_any_changed_line_is_other_code(tmp_path: Path) -> None:
    (tmp_path / "one.py").write_text("1")
    before = digest(tmp_path)
    (tmp_path / "one.py").write_text("2")
    assert digest(tmp_path) != before
