"""What is open in a journal blocks the next drill."""

from __future__ import annotations

from pathlib import Path

import pytest

from blackstart.errors import JournalError
from blackstart.safety.journal import Journal
from blackstart.safety.open_faults import PLANNED, PROVEN, UNTOUCHED, open_faults
from tests.simulation.world import SimulatedClock

PLAN = {"fault": "reboot", "target": "a1"}


def journal_of(drills: Path, *steps: str, site: str = "lab") -> None:
    journal = Journal(drills / "one", SimulatedClock())
    journal.write("drill.begin", site=site)
    for step in steps:
        if step == PLANNED:
            journal.write(step, plan=PLAN)
        else:
            journal.write(step, **PLAN)
    journal.close()


@pytest.mark.parametrize("after", [(), ("fault.injected",), ("fault.revert-unproven",)])
def test_a_fault_is_open_until_its_revert_is_proven(tmp_path: Path, after: tuple[str]) -> None:
    journal_of(tmp_path, PLANNED, *after)
    (found,) = open_faults(tmp_path, "lab")
    assert found.plan == PLAN
    assert "reboot on a1" in str(found)


@pytest.mark.parametrize("end", [PROVEN, UNTOUCHED])
def test_a_proven_or_untouched_fault_is_closed(tmp_path: Path, end: str) -> None:
    journal_of(tmp_path, PLANNED, end)
    assert open_faults(tmp_path, "lab") == ()


def test_another_sites_fault_is_not_ours(tmp_path: Path) -> None:
    journal_of(tmp_path, PLANNED, site="home")
    assert open_faults(tmp_path, "lab") == ()


def test_a_journal_that_cannot_be_trusted_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "journal.jsonl").write_text("nonsense\n{}\n")
    with pytest.raises(JournalError):
        open_faults(tmp_path, "lab")
