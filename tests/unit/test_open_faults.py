"""What is open in a journal blocks the next drill."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from blackstart.errors import JournalError
from blackstart.model.deadman import DeadMan
from blackstart.safety.journal import Journal
from blackstart.safety.open_faults import CLOSED, PLANNED, open_faults
from tests.simulation.lies import Lies
from tests.simulation.world import SimulatedClock

NAMED = {"fault": "reboot", "target": "a1"}
PLAN = {
    **NAMED,
    "reversibility": "self-healing",
    "blast_radius": ["a1", "box"],
    "rescue": ["# switch it on"],
    "undo": [{"kind": "start-unit", "unit": "nfs-server.service"}],
    "deadman": {"id": "one", "host": "a1", "lease_s": 20},
}


def journal_of(drills: Path, *steps: str, site: str = "lab") -> None:
    journal = Journal(drills / "one", SimulatedClock(Lies()))
    journal.write("drill.begin", site=site)
    for step in steps:
        if step == PLANNED:
            journal.write(step, plan=PLAN)
        else:
            journal.write(step, **NAMED)
    journal.close()


@pytest.mark.parametrize(
    "after", [(), ("fault.injected",), ("fault.revert-unproven",), ("fault.revert-proven",)]
)
def test_a_fault_is_open_until_it_is_closed(tmp_path: Path, after: tuple[str]) -> None:
    journal_of(tmp_path, PLANNED, *after)
    (found,) = open_faults(tmp_path, "lab")
    assert found.plan.undo[0].command() == "systemctl start 'nfs-server.service'"
    assert found.plan.deadman == DeadMan("one", "a1", 20)
    assert "reboot on a1" in str(found)


def test_a_closed_fault_is_not_open(tmp_path: Path) -> None:
    journal_of(tmp_path, PLANNED, "fault.revert-proven", CLOSED)
    assert open_faults(tmp_path, "lab") == ()


@pytest.mark.parametrize(
    "undo", [{"kind": "shell", "command": "rm -rf /"}, {"kind": "start-unit", "unit": "a; rm b"}]
)
def test_an_undo_outside_the_closed_set_is_never_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, undo: dict[str, str]
) -> None:
    monkeypatch.setitem(PLAN, "undo", [undo])
    journal_of(tmp_path, PLANNED)
    with pytest.raises(JournalError, match="by hand"):
        open_faults(tmp_path, "lab")


def test_another_sites_fault_is_not_ours(tmp_path: Path) -> None:
    journal_of(tmp_path, PLANNED, site="home")
    assert open_faults(tmp_path, "lab") == ()


@pytest.mark.parametrize(
    ("step", "data"),
    [
        ("drill.begin", {}),
        (PLANNED, {}),
        (PLANNED, {"plan": None}),
        (PLANNED, {"plan": "reboot"}),
        (PLANNED, {"plan": {**PLAN, "wings": 2}}),
        (PLANNED, {"plan": {**PLAN, "fault": "meteor"}}),
        (CLOSED, {}),
    ],
)
def test_another_versions_journal_is_an_error(
    tmp_path: Path, step: str, data: dict[str, object]
) -> None:
    """Its chain is whole, and what it says more or less than ours may belong to the undo."""
    journal = Journal(tmp_path / "one", SimulatedClock(Lies()))
    if step != "drill.begin":
        journal.write("drill.begin", site="lab")
    journal.write(step, **data)
    journal.close()
    with pytest.raises(JournalError, match="by hand"):
        open_faults(tmp_path, "lab")


@pytest.mark.parametrize("kind", ["pipe", "directory", "link to itself", "link to nothing"])
def test_what_is_no_file_is_an_error_at_once(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "one" / "journal.jsonl"
    path.parent.mkdir()
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "directory":
        path.mkdir()
    else:
        path.symlink_to(path if kind == "link to itself" else tmp_path / "gone")
    with pytest.raises(JournalError, match="one/journal"):
        open_faults(tmp_path, "lab")


def test_brackets_without_end_are_damage(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "journal.jsonl").write_text("[" * 100_000 + "\n")
    with pytest.raises(JournalError, match="damaged"):
        open_faults(tmp_path, "lab")


def test_a_journal_that_cannot_be_trusted_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "journal.jsonl").write_text("nonsense\n{}\n")
    with pytest.raises(JournalError):
        open_faults(tmp_path, "lab")
