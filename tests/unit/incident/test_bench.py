"""The rack by its commands: what is called, what is understood of it, and every bound.

The commands are small programs in a directory of their own, which come before ours.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from blackstart.errors import Unproven
from blackstart.incident import bench
from blackstart.incident.bench import RackBench, drilled, verified
from blackstart.incident.model import DrillOf, Step
from blackstart.model.verdict import Verdict

from .drifts import BOOTS, EFI, RACK, ROOT, document, finding

RACK_COMMAND = """
import pathlib, subprocess, sys
words = sys.argv[1:]
with open("called", "a") as called:
    called.write("|".join(words) + "\\n")
if words[0] == "ssh":
    host, script = words[1], words[3]
    if script.endswith("/ready"):
        text = pathlib.Path("ready").read_text()
        sys.exit(print(text) or 1 if text else 0)
    sys.exit(subprocess.run(["sh", "-c", script]).returncode)
"""
VERIFY = """
import pathlib, sys
words = sys.argv[1:]
pathlib.Path("verified").write_text("|".join(words))
decision = pathlib.Path("decision")
if decision.exists():
    pathlib.Path(words[words.index("--json") + 1]).write_text(decision.read_text())
print("what it said")
sys.exit(1)
"""
PYTEST = """
import pathlib, sys
words = sys.argv[1:]
pathlib.Path("drilled").write_text("|".join(words))
for name in pathlib.Path("summaries").read_text().split():
    home = pathlib.Path(words[words.index("--drills") + 1]) / name
    home.mkdir(parents=True)
    home.joinpath("summary.json").write_text(pathlib.Path("summary").read_text())
sys.exit(1)
"""
SUMMARY = {
    **{"verdict": "fail", "reason": "guests-boot [k3s1]", "refused": []},
    "invariants": [
        {"name": "guests-boot", "target": "k3s1", "verdict": "fail", "reason": "it is stopped"},
        {"name": "dhcp-answers", "target": "maas", "verdict": "pass", "reason": "it does"},
    ],
}


def decision(**changes: Any) -> dict[str, Any]:
    whole = {
        **finding(EFI).model_dump(mode="json", exclude_none=True),
        **{"number": 1, "blocks_boot": True, "incident": None},
    }
    return {"decision": "no-go", "findings": [{**whole, **changes}]}


@pytest.fixture
def rack(tmp_path: Path) -> RackBench:
    for path, text in (
        ("blackstart/__init__.py", ""),
        ("blackstart/__main__.py", VERIFY),
        ("blackstart/rack/__init__.py", ""),
        ("blackstart/rack/__main__.py", RACK_COMMAND),
        ("pytest.py", PYTEST),
        ("ready", ""),
    ):
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return RackBench(ROOT / "inventory/rack.yaml", RACK, tmp_path, tmp_path / "log.txt")


def called(rack: RackBench) -> list[str]:
    return rack.checkout.joinpath("called").read_text().splitlines()


def test_a_step_runs_on_its_host_and_is_kept(rack: RackBench) -> None:
    rack.run(Step(host="pve1", run="echo done"))
    assert called(rack) == ["ssh|pve1|--|echo done"]
    assert "blackstart.rack ssh pve1 -- 'echo done'\ndone\nexit 0" in rack.log.read_text()


def test_a_step_that_fails_says_so(rack: RackBench) -> None:
    with pytest.raises(Unproven, match="rack ssh pve1 exited 3: no such file"):
        rack.run(Step(host="pve1", run="echo no such file >&2; exit 3"))


def test_a_step_has_a_bound(rack: RackBench) -> None:
    step = Step.model_validate({"host": "pve1", "run": "sleep 30", "timeout": "1s"})
    with pytest.raises(Unproven, match="rack ssh did not end within 1 s"):
        rack.run(step)


def test_the_mark_is_on_the_last_machine(rack: RackBench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "MARK", str(rack.checkout / "mark"))
    assert rack.marked() == ""
    rack.mark("gone@efi")
    assert rack.marked() == "gone@efi"
    assert {line.split("|")[1] for line in called(rack)} == {"nas1"}


def test_what_is_not_well_is_told_by_machine(
    rack: RackBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench, "PAUSE_S", 0.01)
    assert rack.ill(5.0) == ""
    rack.checkout.joinpath("ready").write_text("web: no answer over HTTP")
    assert rack.ill(0.0).startswith("pve1: web: no answer over HTTP; pve2: web: ")


def test_verify_is_called_for_the_act(rack: RackBench) -> None:
    rack.checkout.joinpath("decision").write_text(json.dumps(decision()))
    seen = rack.verify("reboot:pve1", {})
    words = rack.checkout.joinpath("verified").read_text().split("|")
    assert words[:3] == ["verify", "--inventory", str(ROOT / "inventory/rack.yaml")]
    assert words[-2:] == ["--before", "reboot:pve1"]
    assert seen.decision == "no-go"
    assert [item.key for item in seen.wrong] == [EFI]
    rack.verify(None, {"guests/app1/running": False})
    words = rack.checkout.joinpath("verified").read_text().split("|")
    assert "--before" not in words
    assert words[2] != str(ROOT / "inventory/rack.yaml")


def test_verify_without_a_decision_is_unproven(rack: RackBench) -> None:
    with pytest.raises(Unproven, match="verify gave no decision: what it said"):
        rack.verify("reboot:pve1", {})


def test_a_drill_is_called_with_its_waivers_and_its_own_budgets(
    rack: RackBench, tmp_path: Path
) -> None:
    rack.checkout.joinpath("summary").write_text(json.dumps(SUMMARY))
    rack.checkout.joinpath("summaries").write_text("one")
    drill = {**document()["drill"], "waive": {"busy": "a backup runs"}}
    wanted = DrillOf.model_validate({**drill, "declares": {"guests/k3s1/budget": "90s"}})
    found = rack.drill(wanted, {}, tmp_path / "drills")
    words = rack.checkout.joinpath("drilled").read_text().split("|")
    assert words[0] == "scenarios/test_node_reboot.py::test_node_reboot[pve1]"
    assert words[-4:] == [
        *("--waive", "busy=a backup runs"),
        *("--waive", "drift=this drill is to show what the drift does"),
    ]
    assert words[words.index("--arm") + 1] == "rack"
    copy = Path(words[words.index("--inventory") + 1])
    assert "budget: 90s" in copy.read_text()
    assert found.of(Verdict.FAIL).keys() == {BOOTS}


def test_a_drill_that_was_killed_in_an_earlier_replay_is_open_no_more(
    rack: RackBench, tmp_path: Path
) -> None:
    killed = tmp_path / "drills/killed/journal.jsonl"
    killed.parent.mkdir(parents=True)
    killed.write_text("")
    rack.checkout.joinpath("summary").write_text(json.dumps(SUMMARY))
    rack.checkout.joinpath("summaries").write_text("one")
    rack.drill(DrillOf.model_validate(document()["drill"]), {}, tmp_path / "drills")
    assert [path.name for path in (tmp_path / "drills").iterdir()] == ["one"]


@pytest.mark.parametrize("summaries", ["", "one two"])
def test_a_drill_without_its_summary_is_unproven(
    rack: RackBench, tmp_path: Path, summaries: str
) -> None:
    rack.checkout.joinpath("summary").write_text(json.dumps(SUMMARY))
    rack.checkout.joinpath("summaries").write_text(summaries)
    with pytest.raises(Unproven, match=r"left [02] summaries"):
        rack.drill(DrillOf.model_validate(document()["drill"]), {}, tmp_path / "drills")


def test_what_the_owner_accepts_is_not_wrong() -> None:
    leave = {"accepted": {"reason": "no memory", "until": "2099-12-31"}}
    seen = verified(decision(**leave))
    assert (seen.wrong, seen.accepted, seen.good) == ((), (EFI,), ())
    held = verified(decision(verdict="pass"))
    assert (held.wrong, held.accepted, held.good) == ((), (), (EFI,))


def test_what_does_not_apply_is_not_green() -> None:
    seen = verified(decision(verdict="pass", not_applicable="k3s1 has no EFI disk"))
    assert (seen.good, seen.not_applicable) == ((), (EFI,))


def test_a_refusal_of_a_drill_is_understood() -> None:
    seen = drilled({**SUMMARY, "refused": ["healthy: k3s1 is ill"]})
    assert seen.refused == ("healthy: k3s1 is ill",)
