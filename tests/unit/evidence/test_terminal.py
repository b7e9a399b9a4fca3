"""Ten lines, the decision first, greppable, legible without colour."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from blackstart.evidence.summary import summarise
from blackstart.evidence.terminal import TerminalSummary, show
from tests.unit.evidence import drill_directory as told
from tests.unit.evidence.drill_directory import Story, make


def shown(directory: Path, console: Console | None = None) -> list[str]:
    console = console or Console(file=io.StringIO())
    show(console, summarise(directory), Path("reports/drills") / directory.name)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue().splitlines()


def line(found: list[str], label: str) -> str:
    (only,) = [text for text in found if text.startswith(f"{label} ")]
    return only


def test_pass_is_ten_lines_with_the_decision_first(tmp_path: Path) -> None:
    found = shown(make(tmp_path, told.PASSED))
    assert len(found) == 10
    assert found[0] == "PASS      test_node_reboot[pve1] on rack in 1m54s: all 26 judgements hold"
    assert line(found, "bit") == "bit       yes: boot id 3f2a0c1e became 91ad77b0"
    assert "3 of 3 that fell are back in budget, 4 stayed up" in line(found, "guests")
    assert "maas ≤58s of 3m00s" in line(found, "guests")
    assert "http web ≤80s" in line(found, "outages")
    assert "guests-boot (3)" in line(found, "holds")
    assert "20260101-000000-test_node_reboot-pve1" in line(found, "evidence")
    assert found[-1] == "next      blackstart drill --all"


def test_fail_names_each_broken_promise_and_how_to_look(tmp_path: Path) -> None:
    found = shown(make(tmp_path, told.FAILED))
    assert found[0].startswith("FAIL ")
    assert found[0].endswith("2 failed of 26 judgements")
    failed = [text for text in found if text.startswith("fail ")]
    assert "guests-boot [k3s1]: stopped: pve1 has ended its start" in failed[0]
    assert "k3s1 not back (budget 3m00s)" in line(found, "guests")
    assert "1 undeclared: guests/k3s1/status: running -> stopped" in line(found, "changed")
    assert "guests-boot" not in line(found, "holds")
    assert line(found, "next").startswith("next      ssh 10.77.0.11 ")


def test_more_than_five_blockers_are_counted_not_listed(tmp_path: Path) -> None:
    extra = tuple(
        told.FAILED.extra[0].model_copy(update={"target": f"guest{number}"}) for number in range(7)
    )
    found = shown(make(tmp_path, Story(extra=extra)))
    assert len([text for text in found if text.startswith("fail ")]) == 5
    assert line(found, "more") == "more      2 judgements are no pass: summary.json"


def test_refusal_gives_the_reason_and_claims_no_measurement(tmp_path: Path) -> None:
    found = shown(make(tmp_path, told.REFUSED))
    assert "refused, nothing was touched" in found[0]
    assert line(found, "refused") == "refused   consent: pve1 has not opted in to reboot"
    assert not [text for text in found if text.startswith(("guests", "outages", "changed"))]


def test_more_than_five_refusals_are_counted_not_listed(tmp_path: Path) -> None:
    refused = tuple(f"guard{number}: no" for number in range(7))
    found = shown(make(tmp_path, Story(refused=refused)))
    assert len([text for text in found if text.startswith("refused ")]) == 5
    assert line(found, "more") == "more      2 guards refuse as well: summary.json"


def test_plan_says_that_nothing_was_touched(tmp_path: Path) -> None:
    found = shown(make(tmp_path, Story(plan_only=True)))
    assert found[0].endswith("a plan only, nothing was touched")
    assert line(found, "next") == "next      the same command without --plan"


def test_crash_shows_the_open_fault_and_its_rescue(tmp_path: Path) -> None:
    found = shown(make(tmp_path, told.CRASHED))
    assert found[0].startswith("UNPROVEN ")
    assert "it stops in phase inject" in found[0]
    assert "not proven reverted" in line(found, "open")
    assert line(found, "guests") == "guests    none was seen to fall, 7 not measured"
    assert line(found, "outages") == "outages   no samples were saved"
    assert "not looked at" in line(found, "changed")
    assert "journalctl" in line(found, "next")


def test_fault_that_did_not_bite_says_so_twice(tmp_path: Path) -> None:
    found = shown(make(tmp_path, told.DID_NOT_BITE))
    assert line(found, "bit") == "bit       not proven: pve1 runs on, boot id 3f2a0c1e"
    assert "fault-bit [pve1]" in line(found, "unproven")
    assert "test_node_reboot.py::test_node_reboot[pve1]" in line(found, "next")


def test_without_a_terminal_there_is_no_colour_and_no_wrapping(tmp_path: Path) -> None:
    found = shown(make(tmp_path, Story(more_guests=14)), Console(file=io.StringIO(), width=40))
    assert len(found) == 10
    assert not any("\x1b" in text for text in found)
    assert max(len(text) for text in found) > 100


@pytest.mark.parametrize("width", [40, 80])
def test_narrow_terminal_wraps_under_the_label(tmp_path: Path, width: int) -> None:
    console = Console(file=io.StringIO(), width=width, force_terminal=True, no_color=True)
    found = shown(make(tmp_path, told.PASSED), console)
    plain = [text.replace("\x1b[1m", "").replace("\x1b[0m", "") for text in found]
    assert max(len(text.rstrip()) for text in plain) <= width
    assert len(plain) > 10
    assert all(text.startswith(" " * 10) or text[:9].strip() for text in plain)


def test_no_color_leaves_no_colour(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    bare = shown(make(tmp_path, told.FAILED), Console(file=io.StringIO(), force_terminal=True))
    assert not any("\x1b[31" in text or "\x1b[1;31" in text for text in bare)
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("TERM", "xterm-256color")
    coloured = shown(make(tmp_path, told.FAILED), Console(file=io.StringIO(), force_terminal=True))
    assert any("\x1b[1;31" in text for text in coloured)


def test_terminal_that_knows_no_unicode_gets_ascii(tmp_path: Path) -> None:
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding="ascii")
    directory = make(tmp_path, told.PASSED)
    show(Console(file=file), summarise(directory), directory)
    file.flush()
    assert b"maas <=58s of 3m00s" in raw.getvalue()


def test_observer_says_when_there_is_no_summary(tmp_path: Path) -> None:
    console = Console(file=io.StringIO())
    TerminalSummary(console).drill_end(tmp_path)
    assert isinstance(console.file, io.StringIO)
    assert console.file.getvalue().startswith("no summary: cannot read ")
