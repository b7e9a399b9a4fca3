"""One drift with a drill, a healthy site, and records of how its replay may go."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from blackstart.incident.known import Known
from blackstart.incident.loading import Case
from blackstart.incident.model import Drift
from blackstart.incident.records import Drilled, Replayed, Verified
from blackstart.inventory_file import load
from blackstart.model.finding import Breaks, Finding, Severity
from blackstart.model.verdict import Judgement, Verdict

ROOT = Path(__file__).parents[3]
RACK = load(ROOT / "inventory/rack.yaml")
KNOWN = Known.of(ROOT / "checks", ROOT / "scenarios", RACK)
EFI = ("uefi_guest_has_its_efi_disk", "k3s1")
ONBOOT = ("guest_starts_with_its_node", "app1")
BOOTS, ANSWERS = ("guests-boot", "k3s1"), ("services-answer", "k3s1-api")


def claim(key: tuple[str, str]) -> dict[str, str]:
    return {"check": key[0], "target": key[1]}


def promise(key: tuple[str, str]) -> dict[str, str]:
    return {"promise": key[0], "target": key[1]}


def document(**changes: Any) -> dict[str, Any]:
    """The file of k3s1's EFI disk is gone; drilled by a reboot."""
    whole: dict[str, Any] = {
        "changes": "the EFI disk is gone",
        "apply": [{"host": "pve1", "run": "break"}],
        "before": "reboot:pve1",
        "decision": "no-go",
        "red": [claim(EFI)],
        "drill": {
            "scenario": "test_node_reboot.py::test_node_reboot[pve1]",
            "red": [promise(BOOTS)],
            "follows": [promise(ANSWERS)],
        },
        "fix": [{"host": "pve1", "run": "mend"}, {"host": "maas", "run": "mend that, too"}],
    }
    return {key: value for key, value in {**whole, **changes}.items() if value is not None}


def case(**changes: Any) -> Case:
    return Case("gone", "efi", Drift.model_validate(document(**changes)))


HARMLESS = {"red": None, "drill": None, "fix": None, "decision": "go"}


def finding(key: tuple[str, str], verdict: Verdict = Verdict.FAIL, **changes: Any) -> Finding:
    found = {
        **{"check": key[0], "target": key[1], "verdict": verdict, "claim": "It is."},
        **{"severity": Severity.CRITICAL, "breaks": Breaks.BOOT, "problem": "it is not"},
    }
    return Finding(**{**found, **changes})


def verified(
    *wrong: Finding, decision: str | None = None, good: Any = (EFI, ONBOOT), **changes: Any
) -> Verified:
    """What verify said: all is good but for this."""
    keys = {item.key for item in wrong}
    critical = any(item.severity is Severity.CRITICAL for item in wrong)
    whole: dict[str, Any] = {
        **{"wrong": wrong, "accepted": (), "not_applicable": ()},
        "decision": decision or ("no-go" if critical else "go"),
        "good": tuple(key for key in good if key not in keys),
    }
    return Verified(**{**whole, **changes})


def drilled(refused: tuple[str, ...] = (), **verdicts: str) -> Drilled:
    """Judgements by ``promise__target``, with hyphens as underscores in the promise."""
    judged = tuple(
        Judgement(
            name=key.partition("__")[0].replace("_", "-"),
            target=key.partition("__")[2].replace("_", "-"),
            verdict=Verdict(verdict),
            reason="so it was",
        )
        for key, verdict in verdicts.items()
    )
    return Drilled(verdict=Verdict.FAIL, reason="", refused=refused, judged=judged)


FELL = {
    "guests_boot__k3s1": "fail",
    "services_answer__k3s1_api": "fail",
    "guests_boot__maas": "pass",
}


def record(**changes: Any) -> Replayed:
    """A replay in which all was as expected."""
    whole: dict[str, Any] = {
        **{"incident": "gone", "drift": "efi", "done": "x", "took_s": 300.0},
        "before": verified(finding(EFI)),
        "drill": drilled(**FELL),
        "after": verified(),
    }
    return Replayed(**{**whole, **changes})


WELL = verified()
