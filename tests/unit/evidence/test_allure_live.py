"""What a running drill tells Allure, seen in the results of a real pytest session."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.unit.evidence import live_session

Results = dict[str, dict[str, Any]]


@pytest.fixture
def live(live_results: Path) -> tuple[Path, Results]:
    return live_results, live_session.by_node(live_results)


def steps(result: dict[str, Any]) -> dict[str, str]:
    return {step["name"]: step["status"] for step in result["steps"]}


def test_verdicts_become_allures_statuses(live: tuple[Path, Results]) -> None:
    found = {node: result["status"] for node, result in live[1].items()}
    assert found == {
        "passed": "passed",
        "failed": "failed",
        "idle": "broken",
        "refused": "broken",
    }


def test_a_step_a_phase_with_its_notes_then_a_step_a_promise(live: tuple[Path, Results]) -> None:
    result = live[1]["failed"]
    guard, judge, *promises = result["steps"]
    assert guard["name"] == "guard: may we reboot pve1?"
    assert [step["name"] for step in guard["steps"]] == ["armed: no objection"]
    assert judge["status"] == "broken"
    assert judge["statusDetails"]["message"].strip() == "Unproven: judge was interrupted"
    assert "steps" not in judge, "judgements are steps of their own"
    assert {step["name"]: step["status"] for step in promises} == {
        "guests-boot: 2 of 3 hold": "failed",
        "names-resolve: 14 of 14 hold": "passed",
        "containers-run: 1 of 1 hold": "passed",
        "addresses-stable: 7 of 7 hold": "passed",
        "nothing-else-changed: 0 of 1 hold": "failed",
    }
    broken = next(step for step in promises[0]["steps"] if step["name"] == "k3s1")
    assert broken["statusDetails"]["message"].startswith("Failed: stopped: pve1 has ended")


def test_unproven_promise_is_broken(live: tuple[Path, Results]) -> None:
    assert steps(live[1]["idle"])["fault-bit: 0 of 1 hold"] == "broken"


def test_labels_and_parameters(live: tuple[Path, Results]) -> None:
    result = live[1]["passed"]
    labels = {label["name"]: label["value"] for label in result["labels"]}
    assert labels["epic"] == "blackstart"
    assert labels["feature"] == "reboot"
    assert labels["story"] == "test_node_reboot"
    assert labels["drill"] == "20260101-000000-test_node_reboot-pve1"
    parameters = {item["name"]: item for item in result["parameters"]}
    assert parameters["node"]["value"] == "'passed'"
    assert parameters["fault"]["excluded"] is True


def test_files_are_attached_and_are_those_of_the_drill(live: tuple[Path, Results]) -> None:
    results, found = live
    result = found["failed"]
    drills = results.parent / "drills"
    attached = {item["name"]: item for item in result["attachments"]}
    assert [item["type"] for item in result["attachments"]] == [
        "text/csv",
        "image/png",
        "image/png",
        "image/svg+xml",
        "image/svg+xml",
        "application/json",
        "text/plain",
    ]
    (directory,) = drills.glob("20260101-01*")
    timeline = results / attached["Timeline: who was down when"]["source"]
    assert timeline.read_bytes() == (directory / "timeline.png").read_bytes()
    journal = results / attached["Journal"]["source"]
    assert journal.read_bytes() == (directory / "journal.jsonl").read_bytes()
    differed = (results / attached["What differed after"]["source"]).read_text()
    assert "guests/k3s1/status,running,stopped,identity,\n" in differed
    assert "no disks to watch on the rack" in differed
    assert "data:image/png;base64," in result["descriptionHtml"]


def test_refused_drill_has_no_pictures(live: tuple[Path, Results]) -> None:
    names = [item["name"] for item in live[1]["refused"]["attachments"]]
    assert names == ["Summary", "Journal"]
