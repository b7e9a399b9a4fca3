"""What ``rack status`` says of a drift that is applied, with ssh put in place."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from blackstart.inventory_file import load
from blackstart.model.drift_mark import MARK
from blackstart.rack import host, ssh, status
from blackstart.rack.cli import rack
from blackstart.rack.record import Record
from blackstart.rack.status import Status, look_for_drift
from blackstart.rack.topology import PVE

ROOT = Path(__file__).parents[3]
ENTRY = Record("pve", "/clone", "/home", "ready")
Answer = Callable[..., subprocess.CompletedProcess[str]]


def ready(**power: str) -> Status:
    machines = {
        name: {"power": power.get(name, "On"), "address": "10.77.0.1", "bmc": "https://bmc"}
        for name in ("pve1", "pve2", "nas1")
    }
    return Status(ENTRY, machines, kvm=False, problem="")


def answering(code: int, stdout: str = "", stderr: str = "") -> Answer:
    def run(_: object, address: object, script: str, timeout: float) -> object:
        assert (address, timeout) == (PVE.machines[-1].address, 15.0)
        assert MARK in script
        return subprocess.CompletedProcess([], code, stdout, stderr)

    return run  # type: ignore[return-value]


def test_the_mark_is_looked_for_where_replays_leave_it() -> None:
    assert PVE.machines[-1].name == [*load(ROOT / "inventory/rack.yaml").nodes][-1]


def test_a_drift_that_is_applied_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ssh, "run", answering(0, "gone@efi\n"))
    monkeypatch.setattr(status, "observe", ready)
    monkeypatch.setattr(host, "require_root", lambda: None)
    text = CliRunner().invoke(rack, ["status"])
    assert "the drift gone@efi is applied; run: blackstart rack reset" in text.output
    assert text.exit_code == 1
    found = CliRunner().invoke(rack, ["status", "--json"])
    told = json.loads(found.output)
    assert (told["drift"], told["drift_unread"], told["healthy"]) == ("gone@efi", None, False)
    assert found.exit_code == 1


def test_a_rack_without_one_is_healthy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ssh, "run", answering(0))
    now = look_for_drift(ready())
    assert (now.drift, now.drift_unread, now.healthy) == ("", "", True)
    assert "drift" not in now.as_text()


def too_late(*_: object, **__: object) -> subprocess.CompletedProcess[str]:
    raise subprocess.TimeoutExpired("ssh", 15.0)


@pytest.mark.parametrize(
    ("power", "answer", "said"),
    [
        ("On", answering(255, stderr="no route to host\n"), "not known: nas1: no route to host"),
        ("On", too_late, "not known: nas1 gave no answer within 15 s"),
        ("Off", answering(0), "not known: the rack is ready, the power of nas1 Off"),
    ],
)
def test_what_nobody_can_read_is_told(
    monkeypatch: pytest.MonkeyPatch, power: str, answer: Answer, said: str
) -> None:
    monkeypatch.setattr(ssh, "run", answer)
    now = look_for_drift(ready(nas1=power))
    assert said in now.as_text()
    assert now.as_json()["drift"] is None


def test_no_rack_has_no_drift() -> None:
    assert look_for_drift(Status(None, {}, kvm=False, problem="")).drift_unread == ""
