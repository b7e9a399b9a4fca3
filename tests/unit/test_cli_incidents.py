"""``blackstart incidents`` as a person types it; nothing here reaches a rack."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from blackstart.cli import blackstart
from blackstart.cli_incidents import Replays
from blackstart.errors import BlackstartError, UsageError
from blackstart.incident.records import done_by
from blackstart.model.verdict import Verdict

from .incident import drifts
from .test_plugin import ROOT, inventory_text

RACK = str(ROOT / "inventory/rack.yaml")


def run(*words: str) -> Result:
    return CliRunner().invoke(blackstart, ["incidents", *words])


def error(*words: str) -> BlackstartError:
    found = run(*words).exception
    assert isinstance(found, BlackstartError)
    return found


@pytest.mark.parametrize(
    "words", [("list",), ("run", "hypervisor-down"), ("score",)], ids=lambda words: words[0]
)
def test_a_site_that_is_no_rack_is_refused(tmp_path: Path, words: tuple[str, ...]) -> None:
    lab = tmp_path / "lab.yaml"
    lab.write_text(inventory_text())
    found = error(*words, "--inventory", str(lab))
    assert found.exit_code == 2
    assert "lab is no rack; incidents change files and stop guests" in str(found)


def test_the_list_says_what_proves_each() -> None:
    said = run("list", "--inventory", RACK).output
    assert "2025-12-07-missing-efi-disk efi-file-gone: the file of k3s1's EFI disk" in said
    assert "before reboot:pve1: no-go; test_node_reboot.py::test_node_reboot[pve1]" in said
    assert "before reboot:pve1: go; harmless" in said
    assert "no-go; predict only, " in said
    found = json.loads(run("list", "--inventory", RACK, "--json").output)
    assert {item["incident"] for item in found} >= {"hypervisor-down"}
    assert all(item["drill"] is None or item["predict_only"] is None for item in found)


def test_an_owners_own_checks_are_not_those_that_incidents_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tmp_path.joinpath("checks").mkdir()
    monkeypatch.chdir(tmp_path)
    assert run("list", "--inventory", RACK).exit_code == 0


def test_what_there_is_not_cannot_be_run() -> None:
    assert "did you mean 'hypervisor-down'" in str(
        error("run", "--inventory", RACK, "hypervisor-dwn")
    )
    assert isinstance(
        error("run", "--inventory", RACK, "hypervisor-down", "lopback-name"), UsageError
    )


def test_help_teaches() -> None:
    assert "blackstart incidents run 2025-12-07-missing-efi-disk efi-file-gone" in run("-h").output
    assert "Exit code 0: as expected; 1: not as expected" in run("-h").output
    assert "  blackstart rack reset\n" in run("run", "-h").output


def test_the_score_of_nothing_is_unproven(tmp_path: Path) -> None:
    done = run("score", "--inventory", RACK, "--results", str(tmp_path))
    assert done.exit_code == 3
    assert "not replayed  hypervisor-down@loopback-name" in done.output
    assert "checks        precision none to count, recall none to count" in done.output
    kept = json.loads(tmp_path.joinpath("score.json").read_text())
    assert (kept["verdict"], len(kept["missing"])) == (
        "unproven",
        len(Replays.of(RACK, tmp_path).cases),
    )


def test_records_are_judged_by_what_is_expected_now(tmp_path: Path) -> None:
    replays = Replays.of(RACK, tmp_path)
    (case,) = (item for item in replays.cases if item.name == "efi-file-gone")
    record = drifts.record(
        incident=case.incident, drift=case.name, done=done_by(replays.records.code, case)
    )
    replays.records.keep(record)
    replays.records.keep_healthy(drifts.WELL)
    (outcome,), missing = replays.outcomes((case,))
    assert (outcome.verdict, missing) == (Verdict.PASS, ())
    done = run("score", "--inventory", RACK, "--results", str(tmp_path))
    (row,) = (line for line in done.output.splitlines() if "as expected" in line)
    for word in ("efi-file-gone", "no-go", "1/1", "2/2", "5m00s"):
        assert word in row
    assert "prediction    precision 1.00 (1 of 1), recall 1.00 (2 of 2)" in done.output
    assert "took          5m00s for 1 drifts, resets apart" in done.output
    other = record.model_copy(update={"done": "by other code"})
    replays.records.keep(other)
    assert replays.outcomes((case,)) == ((), (case.id,))


def test_what_was_otherwise_is_told(tmp_path: Path) -> None:
    replays = Replays.of(RACK, tmp_path)
    (case,) = (item for item in replays.cases if item.name == "efi-file-gone")
    done = done_by(replays.records.code, case)
    lost = drifts.record(
        **{"incident": case.incident, "drift": case.name, "done": done},
        before=drifts.verified(decision="go"),
        trouble=("rack ssh pve1 exited 1",),
    )
    replays.records.keep(lost)
    replays.records.keep_healthy(drifts.WELL)
    output = run("score", "--inventory", RACK, "--results", str(tmp_path)).output
    assert "OTHERWISE" in output
    assert (
        "otherwise     2025-12-07-missing-efi-disk efi-file-gone: uefi_guest_has_its_efi" in output
    )
    assert (
        "unproven      2025-12-07-missing-efi-disk efi-file-gone: rack ssh pve1 exited 1" in output
    )
