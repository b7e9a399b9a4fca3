"""The report's metadata, and results made up for drills whose pytest died."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from blackstart.errors import Refusal
from blackstart.evidence.allure_results import (
    CATEGORIES,
    drills_of,
    environment,
    results_in,
    write_metadata,
    write_result,
)
from blackstart.evidence.files import write_files
from blackstart.evidence.story import description
from blackstart.evidence.summary import summarise
from tests.unit.evidence import drill_directory as told
from tests.unit.evidence import live_session
from tests.unit.evidence.drill_directory import Story, make


def made_up(tmp_path: Path, story: Story, *, files: bool = True) -> dict[str, Any]:
    directory = make(tmp_path / "drills", story)
    if files:
        write_files(directory)
    write_result(directory, tmp_path / "results")
    (result,) = results_in(tmp_path / "results")
    return result


@pytest.mark.parametrize(
    ("story", "status"),
    [
        (told.PASSED, "passed"),
        (told.FAILED, "failed"),
        (told.DID_NOT_BITE, "broken"),
        (told.REFUSED, "broken"),
        (told.CRASHED, "broken"),
    ],
    ids=["passed", "failed", "idle", "refused", "crashed"],
)
def test_status_follows_the_verdict(tmp_path: Path, story: Story, status: str) -> None:
    result = made_up(tmp_path, story)
    assert result["status"] == status
    assert ("statusDetails" in result) is (status != "passed")


def test_drill_that_died_shows_what_was_done_until_then(tmp_path: Path) -> None:
    result = made_up(tmp_path, told.CRASHED)
    phases = {step["name"]: step["status"] for step in result["steps"]}
    assert phases == {
        "guard": "passed",
        "baseline": "passed",
        "arm": "passed",
        "inject": "broken",
    }
    assert result["steps"][-1]["statusDetails"]["message"] == "the journal does not show its end"
    assert result["stop"] - result["start"] == 18_300
    assert "it stops in phase inject" in result["statusDetails"]["message"]
    names = [item["name"] for item in result["attachments"]]
    assert names == ["Summary", "Journal"]
    assert drills_of([result]) == {"20260101-000000-test_node_reboot-pve1"}


def test_made_up_and_live_result_of_a_drill_have_the_same_identity(
    tmp_path: Path, live_results: Path
) -> None:
    live = live_session.by_node(live_results)["passed"]
    ours = made_up(tmp_path, Story(node="passed"))
    for key in ("fullName", "testCaseId", "historyId", "titlePath"):
        assert ours[key] == live[key], key
    counted = [
        [(item["name"], item["value"]) for item in result["parameters"] if not item.get("excluded")]
        for result in (ours, live)
    ]
    assert counted[0] == counted[1]


def test_attachments_exist_in_the_results(tmp_path: Path) -> None:
    result = made_up(tmp_path, told.FAILED)
    sources = [tmp_path / "results" / item["source"] for item in result["attachments"]]
    assert len(sources) == 7
    assert all(source.stat().st_size > 0 for source in sources)


def test_environment_says_what_is_real_and_what_a_stand_in(tmp_path: Path) -> None:
    summary = summarise(make(tmp_path, told.PASSED))
    found = environment([summary, summary], {"Python": "3.11.7"})
    assert found["Proxmox VE API"] == "stand-in"
    assert found["corosync quorum"] == "real"
    assert found["Site"] == "rack"
    assert found["acceleration"] == "tcg (emulated)"
    assert list(found)[-1] == "Python"


def test_part_that_was_real_here_and_a_stand_in_there_is_both(tmp_path: Path) -> None:
    one = summarise(make(tmp_path, told.PASSED))
    parts = one.parts.model_copy(update={"real": ("k3s API",), "stand_in": ()})
    found = environment([one, one.model_copy(update={"parts": parts})], {})
    assert found["k3s API"] == "stand-in, real"


def test_long_words_for_a_part_are_cut_in_the_block_and_whole_on_the_page(tmp_path: Path) -> None:
    directory = make(tmp_path, told.PASSED)
    one = summarise(directory)
    words = "MAAS API on maas (its DHCP is <real>)"
    parts = one.parts.model_copy(update={"stand_in": (words,)})
    summary = one.model_copy(update={"parts": parts})
    assert environment([summary], {})["MAAS API"] == "stand-in"
    assert "MAAS API on maas (its DHCP is &lt;real&gt;)" in description(summary, directory)


def test_metadata_files(tmp_path: Path) -> None:
    summary = summarise(make(tmp_path / "drills", told.PASSED))
    write_metadata(tmp_path, [summary], {"a:b=c d": "x"})
    lines = (tmp_path / "environment.properties").read_text().splitlines()
    assert "Proxmox\\ VE\\ API = stand-in" in lines
    assert "a\\:b\\=c\\ d = x" in lines
    assert json.loads((tmp_path / "categories.json").read_text()) == CATEGORIES
    assert json.loads((tmp_path / "executor.json").read_text())["reportName"] == "blackstart"


@pytest.mark.parametrize(
    ("message", "category"),
    [
        (f"blackstart.errors.Refusal: {Refusal(['consent: no'])}", "Refused"),
        ("refused, nothing was touched: consent", "Refused"),
        ("blackstart.drill.DrillUnproven: UNPROVEN fault-bit [pve1]", "Unproven"),
    ],
)
def test_broken_is_told_from_refused_by_the_first_rule_that_matches(
    message: str, category: str
) -> None:
    rules = [rule for rule in CATEGORIES if "broken" in rule["matchedStatuses"]]
    matching = [
        rule["name"] for rule in rules if re.search(str(rule.get("messageRegex", "")), message)
    ]
    assert matching[0].startswith(category)


def test_categories_are_regular_expressions_of_javascript_too() -> None:
    # Allure 3 ends with exit code 0 and writes no report when one is not.
    assert not [rule for rule in CATEGORIES if "(?s)" in rule.get("messageRegex", "")]
