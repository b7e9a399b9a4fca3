"""When everything came back in earlier drills, from their summaries and journals."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from blackstart.evidence.earlier import comebacks_of
from blackstart.evidence.summary import write_summary
from blackstart.safety.journal import FILE_NAME, Journal
from tests.unit.evidence.drill_directory import ScriptedClock, Story, make


def drill(drills: Path, number: int, fault: str = "reboot", **held: Any) -> Path:
    """A drill of pve1 with its summary, and a journal that says for how long it was held."""
    directory = make(drills, Story(), number)
    write_summary(directory)
    summary = directory / "summary.json"
    summary.write_text(json.dumps(json.loads(summary.read_text()) | {"fault": fault}))
    (directory / FILE_NAME).unlink()
    journal = Journal(directory, ScriptedClock())
    journal.write("drill.begin", scenario="x")
    journal.write("fault.planned", plan={"later_s": held.get("later_s", {})})
    if "withheld_s" in held:
        journal.write("fault.held", withheld_s=held["withheld_s"])
    journal.close()
    return directory


def test_seconds_since_power_was_back(tmp_path: Path) -> None:
    drill(tmp_path, 1, "cold-start", withheld_s=30.0, later_s={"guest/docker1": 20.0})
    (found,) = comebacks_of("rack", tmp_path)
    assert found.drill == "20260101-010000-test_node_reboot-pve1"
    # 58.13 s after the injection it was down for the last time; asked 10 times a second.
    assert 58.1 <= found.back_s["guest/maas"] + 30.0 <= 58.3
    assert 66.8 <= found.back_s["guest/docker1"] + 50.0 <= 67.0
    assert "guest/dns2" not in found.back_s, "what stayed up came back from nowhere"


def test_cold_starts_tell_most_and_the_newest_first(tmp_path: Path) -> None:
    for number, fault in enumerate(["cold-start", "reboot", "power-cut", "cold-start"]):
        drill(tmp_path, number, fault, withheld_s=0.0)
    order = [item.drill.split("-")[1] for item in comebacks_of("rack", tmp_path)]
    assert order == ["030000", "000000", "020000", "010000"]


def test_what_cannot_be_read_or_is_another_sites_tells_nothing(tmp_path: Path) -> None:
    assert comebacks_of("rack", tmp_path / "nowhere") == ()
    drill(tmp_path, 1)  # nobody knows for how long it was held
    drill(tmp_path, 2, "guest-stop", withheld_s=0.0)
    (drill(tmp_path, 3, withheld_s=0.0) / FILE_NAME).write_text("damaged\nmore\n")
    (drill(tmp_path, 4, withheld_s=0.0) / "summary.json").write_text("{}")
    assert comebacks_of("rack", tmp_path) == ()
    drill(tmp_path, 5, withheld_s=0.0)
    assert comebacks_of("elsewhere", tmp_path) == ()
    assert len(comebacks_of("rack", tmp_path)) == 1
