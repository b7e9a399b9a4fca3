"""Incidents as files: what is wrong is told with line and remedy, and ours are right."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from blackstart.errors import IncidentError, UsageError
from blackstart.incident.declaring import declaring
from blackstart.incident.loading import Case, cases, chosen, load, load_all
from blackstart.inventory_file import load as load_inventory

from .drifts import EFI, KNOWN, ROOT, claim, document, promise

OURS = load_all(ROOT / "incidents", KNOWN)
CASES = cases(OURS)


def answer(tmp_path: Path, **changes: Any) -> list[str]:
    """Every problem of an incident with this drift, without the file's name."""
    whole = {"title": "Gone", "drifts": {"efi": document(**changes)}}
    tmp_path.joinpath("incident.yaml").write_text(json.dumps(whole, indent=1))
    with pytest.raises(IncidentError) as caught:
        load(tmp_path, KNOWN)
    assert caught.value.exit_code == 2
    return [line.removeprefix(f"{tmp_path}/incident.yaml:") for line in caught.value.problems]


def drill(**changes: Any) -> dict[str, Any]:
    return {**document()["drill"], **changes}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"red": [claim(("uefi_guest_has_its_efi_dsk", "k3s1"))]},
            "16: there is no check 'uefi_guest_has_its_efi_dsk'; "
            "did you mean 'uefi_guest_has_its_efi_disk'?",
        ),
        (
            {"red": [claim((EFI[0], "k3s9"))]},
            "17: there is no target 'k3s9'; did you mean 'k3s'?",
        ),
        ({"before": "reboot:pve9"}, "12: 'reboot:pve9': there is no node 'pve9'; write reboot: "),
        ({"before": "lunch"}, "12: 'lunch' is no act; write reboot:NODE, cold-start or upgrade"),
        ({"decision": "maybe"}, "13: 'maybe' is none of go, no-go, unproven; "),
        ({"decison": "go"}, "45: unknown key 'decison'; did you mean 'decision'?"),
        ({"apply": []}, "6: 'apply' is empty; give it at least one entry"),
        (
            {"apply": [{"host": "pve9", "run": "true"}]},
            "8: there is no host 'pve9'; did you mean 'pve2'?",
        ),
        (
            {"apply": [{"host": "pve1", "run": "true", "timeout": "20m"}]},
            "10: '20m' is not from 1s to 10m; write one that is",
        ),
        ({"fix": None}, "4: it has no fix; write the commands that mend it"),
        ({"drill": None}, "4: it has neither drill nor predict_only; write one of the two: "),
        ({"predict_only": "too long"}, "4: it has both a drill and predict_only; write one "),
        (
            {"drill": drill(scenario="test_node_reboot.py::test_node_boot[pve1]")},
            "21: there is no scenario 'test_node_reboot.py::test_node_boot'; did you mean ",
        ),
        (
            {"drill": drill(scenario="test_node_reboot.py::test_node_reboot")},
            "21: 'test_node_reboot.py::test_node_reboot' names no target; write it as ",
        ),
        (
            {"drill": drill(scenario="test_node_reboot.py::test_node_reboot[pve9]")},
            "21: there is no target 'pve9'; did you mean ",
        ),
        (
            {"drill": drill(red=[promise(("guests-boots", "k3s1"))])},
            "24: there is no promise 'guests-boots'; did you mean 'guests-boot'?",
        ),
        (
            {"drill": drill(follows=document()["drill"]["red"])},
            "29: guests-boot of k3s1 is named twice (line 23); keep one of the two",
        ),
        ({"drill": drill(red=[])}, "22: 'red' is empty; give it at least one entry"),
        (
            {"drill": drill(waive={"helthy": "on purpose"})},
            "35: there is no guard 'helthy' to waive; did you mean 'healthy'?",
        ),
        ({"drill": drill(waive={"armed": "I may"})}, "35: there is no guard 'armed' to waive; "),
        ({"follows": [claim(EFI)]}, "46: uefi_guest_has_its_efi_disk of k3s1 is named twice "),
        ({"red": None}, "14: a drift that turns nothing red has 'drill'; name what it turns red"),
    ],
)
def test_what_is_wrong_is_told_with_line_and_remedy(
    tmp_path: Path, changes: dict[str, Any], said: str
) -> None:
    found = answer(tmp_path, **changes)
    assert any(line.startswith(said) for line in found), found


def test_every_problem_of_every_incident_is_told_at_once(tmp_path: Path) -> None:
    for name in ("one", "two"):
        tmp_path.joinpath(name).mkdir()
        tmp_path.joinpath(name, "incident.yaml").write_text("title: x\ndrifts: {}\nmore: 1\n")
    with pytest.raises(IncidentError) as caught:
        load_all(tmp_path, KNOWN)
    assert len(caught.value.problems) == 4


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("title: [", "1: not YAML: "),
        ("- a\n", "1: this is no mapping; begin with "),
        ("title: a\ntitle: b\ndrifts: {}\n", "2: key 'title' is already on line 1"),
    ],
)
def test_what_is_no_incident_is_told(tmp_path: Path, text: str, said: str) -> None:
    tmp_path.joinpath("incident.yaml").write_text(text)
    with pytest.raises(IncidentError) as caught:
        load(tmp_path, KNOWN)
    found = [line.partition("incident.yaml:")[2] for line in caught.value.problems]
    assert any(line.startswith(said) for line in found), found


def test_where_there_is_none_nothing_is_good(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no incident"):
        load_all(tmp_path, KNOWN)
    with pytest.raises(IncidentError, match="1: there is no such file"):
        load(tmp_path, KNOWN)


@pytest.mark.parametrize("kind", ["checks", "promises", "scenarios", "hosts"])
def test_ours_are_held_to_the_names_that_there_are(kind: str) -> None:
    """A check or scenario that somebody renames turns this red."""
    used = {
        "checks": "guests_fit_their_host",
        "promises": "nobody-killed",
        "scenarios": "test_maas_images.py::test_image_sync",
        "hosts": "docker1",
    }
    without = replace(KNOWN, **{kind: getattr(KNOWN, kind) - {used[kind]}})
    with pytest.raises(IncidentError, match=f"there is no {kind[:-1]} '{used[kind]}'"):
        load_all(ROOT / "incidents", without)


def test_the_five_outages_are_there_with_their_stories() -> None:
    assert set(OURS) == {
        *("2025-07-27-addresses-moved", "2025-07-29-maas-killed", "2025-12-07-missing-efi-disk"),
        *("2026-04-13-nas-mounts-after-power-loss", "hypervisor-down"),
    }
    for name, incident in OURS.items():
        story = ROOT.joinpath("incidents", name, "README.md").read_text()
        assert [drift for drift in incident.drifts if f"`{drift}`" not in story] == []


def test_the_set_has_drills_compound_ills_and_harmless_changes() -> None:
    assert sum(case.drift.drill is not None for case in CASES) >= 5
    assert sum(case.drift.harmless for case in CASES) >= 2
    assert sum(len({claim.check for claim in case.drift.red}) > 1 for case in CASES) >= 3


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_what_a_drift_declares_is_an_inventory(case: Case, tmp_path: Path) -> None:
    drill = case.drift.drill
    values = {**case.drift.declares, **(drill.declares if drill else {})}
    file = ROOT / "inventory/rack.yaml"
    written = declaring(file, values, tmp_path)
    assert (written == file) is not bool(values)
    load_inventory(written)


def test_what_leads_nowhere_cannot_be_declared(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no guests/k3s9 to declare budget of"):
        declaring(ROOT / "inventory/rack.yaml", {"guests/k3s9/budget": "9s"}, tmp_path)


def test_one_is_chosen_by_name() -> None:
    (one,) = chosen(CASES, "hypervisor-down", "loopback-name")
    assert one.id == "hypervisor-down@loopback-name"
    assert len(chosen(CASES, "hypervisor-down", None)) > 3
    with pytest.raises(UsageError, match="no incident 'hypervisor-dwn'; did you mean"):
        chosen(CASES, "hypervisor-dwn", None)
    with pytest.raises(UsageError, match="has no drift 'loopback'; did you mean"):
        chosen(CASES, "hypervisor-down", "loopback")
