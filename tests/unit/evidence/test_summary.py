"""The summary is a pure function of the drill's directory, whole or cut short."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from blackstart.errors import JournalError
from blackstart.evidence.recovered import GuestRecovery
from blackstart.evidence.summary import FILE_NAME, Summary, summarise, write_summary
from blackstart.model.verdict import Verdict
from tests.unit.evidence import drill_directory as told
from tests.unit.evidence.drill_directory import Story, make

GOLDEN = Path(__file__).parent / "golden"


def told_as(tmp_path: Path, story: Story) -> Summary:
    return summarise(make(tmp_path, story))


def guest(summary: Summary, name: str) -> GuestRecovery:
    return next(item for item in summary.guests if item.guest == name)


@pytest.mark.parametrize(
    ("name", "story"),
    [("passed", told.PASSED), ("failed", told.FAILED)],
    ids=lambda item: item if isinstance(item, str) else "",
)
def test_golden(tmp_path: Path, name: str, story: Story) -> None:
    directory = make(tmp_path, story)
    write_summary(directory)
    found = json.loads((directory / FILE_NAME).read_text())
    golden = GOLDEN / f"summary-{name}.json"
    assert golden.exists(), f"{golden} is missing: a golden file is written by hand, never here"
    assert found == json.loads(golden.read_text())


def test_writing_again_gives_the_same_bytes(tmp_path: Path) -> None:
    directory = make(tmp_path, told.FAILED)
    write_summary(directory)
    first = (directory / FILE_NAME).read_bytes()
    write_summary(directory)
    assert (directory / FILE_NAME).read_bytes() == first
    assert not list(directory.glob("*.part"))


def test_what_the_issue_asks_for_is_there(tmp_path: Path) -> None:
    directory = make(tmp_path, told.FAILED)
    write_summary(directory)
    found: dict[str, Any] = json.loads((directory / FILE_NAME).read_text())
    assert found["verdict"] == "fail"
    assert found["targets"] == ["pve1"]
    assert {"name", "target", "verdict", "reason", "evidence"} == set(found["invariants"][0])
    web = next(item for item in found["probes"] if item["probe"] == "http web")
    assert 0 < web["outage"]["lower_s"] <= 82.55 - 2.95 <= web["outage"]["upper_s"]
    classes = {item["path"]: item["class"] for item in found["differences"]}
    assert classes["guests/k3s1/status"] == "identity"
    assert "hosts/pve1/uptime_s" not in classes, "volatile facts are noise"


@pytest.mark.parametrize(
    ("step", "where"),
    [
        ("drill.begin", "after step drill.begin"),
        ("guard.answer", "in phase guard, after step guard.answer"),
        ("fault.planned", "in phase arm, after step fault.planned"),
        ("fault.injected", "in phase inject, after step fault.injected"),
        ("judgement", "in phase judge, after step judgement"),
    ],
)
def test_drill_that_stopped_is_unproven_and_says_where(
    tmp_path: Path, step: str, where: str
) -> None:
    summary = told_as(tmp_path, Story(stops_after=step))
    assert summary.verdict is Verdict.UNPROVEN
    assert not summary.complete
    assert where in summary.reason
    planned = step in {"fault.planned", "fault.injected"}
    assert summary.open_faults == (("reboot on pve1",) if planned else ())
    assert ("not proven reverted" in summary.reason) is planned


def test_stop_with_a_failure_judged_is_unproven_and_tells_of_the_failure(tmp_path: Path) -> None:
    summary = told_as(tmp_path, Story(extra=told.FAILED.extra, stops_after="differences"))
    assert summary.verdict is Verdict.UNPROVEN
    assert summary.reason.endswith("a promise had failed by then")


def test_torn_last_line_is_said_and_hides_nothing(tmp_path: Path) -> None:
    summary = told_as(tmp_path, told.CRASHED)
    assert "its last line torn" in summary.reason
    assert [span.phase for span in summary.phases] == ["guard", "baseline", "arm", "inject"]
    assert summary.phases[-1].ended_at is None
    assert guest(summary, "maas").note == "not probed"


def test_refused_drill_touched_nothing(tmp_path: Path) -> None:
    summary = told_as(tmp_path, told.REFUSED)
    assert summary.verdict is Verdict.UNPROVEN
    assert summary.refused == ("consent: pve1 has not opted in to reboot",)
    assert summary.marks.injected_at is None
    assert summary.guests == ()


def test_fault_that_did_not_bite(tmp_path: Path) -> None:
    summary = told_as(tmp_path, told.DID_NOT_BITE)
    assert summary.verdict is Verdict.UNPROVEN
    assert summary.proof == "pve1 runs on, boot id 3f2a0c1e"
    assert summary.marks.active_at is None


def test_damaged_journal_is_an_error_and_no_summary(tmp_path: Path) -> None:
    directory = make(tmp_path, told.PASSED)
    journal = directory / "journal.jsonl"
    lines = journal.read_text().splitlines(keepends=True)
    journal.write_text("".join([*lines[:3], *lines[4:]]))
    with pytest.raises(JournalError, match="the chain breaks here"):
        summarise(directory)


def test_unreadable_samples_prove_nothing(tmp_path: Path) -> None:
    directory = make(tmp_path, told.PASSED)
    (directory / "samples.json").write_text('[{"probe": "icmp maas"')
    summary = summarise(directory)
    assert summary.probes == ()
    assert guest(summary, "maas").within is None


def test_broken_probe_leaves_its_guest_unproven(tmp_path: Path) -> None:
    summary = told_as(tmp_path, Story(broken={"icmp app1": "no permission for ICMP"}))
    app1 = guest(summary, "app1")
    assert app1.within is None
    assert app1.note == "probe icmp app1 broke: no permission for ICMP"


def test_machine_that_stood_still_for_long_leaves_its_guests_unproven(tmp_path: Path) -> None:
    summary = told_as(tmp_path, Story(silent=(20.0, 90.0)))
    app1 = next(item for item in summary.probes if item.probe == "icmp app1")
    assert app1.coverage < 0.5
    assert [round(gap.ended_at - gap.began_at) for gap in app1.gaps] == [70]
    assert guest(summary, "app1").within is None


@pytest.mark.parametrize(
    ("down", "within", "note"),
    [
        ((3.0, 60.0), True, "back in budget"),
        ((3.0, 1e6), None, "not back when the probes stopped"),
        ((2000.0, 3000.0), True, "stayed up"),
    ],
)
def test_recovery_against_budget(
    tmp_path: Path, down: tuple[float, float], within: bool | None, note: str
) -> None:
    found = guest(told_as(tmp_path, Story(downs={"icmp maas": down})), "maas")
    assert (found.within, found.note) == (within, note)


@pytest.mark.parametrize(
    ("back", "within", "note"),
    [
        (49.9, True, "back in budget"),
        (50.05, None, "the budget lies between the bounds"),
        (51.0, False, "over budget"),
        (1e6, False, "not back"),
    ],
)
def test_recovery_around_a_budget_of_50_s(
    tmp_path: Path, back: float, within: bool | None, note: str
) -> None:
    story = Story(downs={"icmp maas": (3.0, back)}, guest_budget_s=50.0)
    found = guest(told_as(tmp_path, story), "maas")
    assert (found.within, found.note) == (within, note)
