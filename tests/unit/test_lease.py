"""The lease: one drill at a time, and the holder is named."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from blackstart.errors import Refusal, UsageError
from blackstart.safety.lease import hold
from tests.simulation.inventories import small_site
from tests.simulation.world import World

CLOCK = World(small_site()).clock


def test_a_second_drill_is_refused_and_told_who_holds_it(tmp_path: Path) -> None:
    with hold("lab", "a power cut of a1", CLOCK, tmp_path):
        another = hold("lab", "another", CLOCK, tmp_path)
        with pytest.raises(Refusal) as caught:
            another.__enter__()
        since = datetime.fromtimestamp(CLOCK.wall(), UTC).isoformat(timespec="seconds")
        (reason,) = caught.value.reasons
        assert reason.startswith("lease: site lab is held by ")
        assert f"(process {os.getpid()}) since {since}, for a power cut of a1; wait" in reason
        assert json.loads((tmp_path / "lab.json").read_text())["why"] == "a power cut of a1"


@pytest.mark.parametrize("left", ["", "[]", '{"who": 1}', '{"since": "x", "who": 1, "pid": 2}'])
def test_a_holder_that_cannot_be_read_refuses_all_the_same(tmp_path: Path, left: str) -> None:
    with hold("lab", "x", CLOCK, tmp_path):
        (tmp_path / "lab.json").write_text(left)
        with pytest.raises(Refusal, match="held by another process"):
            hold("lab", "y", CLOCK, tmp_path).__enter__()


def test_where_no_lease_can_be_kept_is_a_usage_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "lab.json").mkdir()
    for directory in (tmp_path / "file" / "leases", tmp_path):
        with pytest.raises(UsageError, match="let XDG_STATE_HOME name"):
            hold("lab", "x", CLOCK, directory).__enter__()


@pytest.mark.parametrize("error", [KeyError("uid not found: 12345"), OSError("No username")])
def test_who_has_no_name_holds_it_by_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def nobody() -> str:
        raise error

    monkeypatch.setattr("getpass.getuser", nobody)
    with hold("lab", "x", CLOCK, tmp_path):
        who = json.loads((tmp_path / "lab.json").read_text())["who"]
    assert who.startswith(f"user {os.getuid()}@")


def test_another_site_is_free(tmp_path: Path) -> None:
    with hold("lab", "x", CLOCK, tmp_path), hold("home", "y", CLOCK, tmp_path):
        pass


def test_it_is_free_again_afterwards(tmp_path: Path) -> None:
    for _ in range(2):
        with hold("lab", "x", CLOCK, tmp_path):
            pass
