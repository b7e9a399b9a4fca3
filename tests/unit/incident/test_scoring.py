"""Precision and recall: what lowers each, and what is kept apart."""

from __future__ import annotations

from typing import Any

import pytest

from blackstart.incident.foreseeing import carriers, foresight
from blackstart.incident.judging import outcome
from blackstart.incident.scoring import Rate, Score, score
from blackstart.model.finding import Severity
from blackstart.model.verdict import Verdict

from . import drifts
from .drifts import EFI, FELL, ONBOOT, RACK, WELL, drilled, finding, record, verified

MOUNT = ("what_is_mounted_comes_back", "pve1")


def scored(*changes: dict[str, Any]) -> Score:
    return score(outcome(drifts.case(), record(**each), WELL, RACK) for each in changes)


def test_all_right() -> None:
    found = scored({}, {})
    assert found.verdict is Verdict.PASS
    assert (found.checks_precision, found.checks_recall) == (Rate(of=2, hits=2), Rate(of=2, hits=2))
    assert found.prediction_precision == Rate(of=2, hits=2)
    assert found.prediction_recall == Rate(of=4, hits=4)
    assert (found.unread, found.unjudged) == (0, 0)


def test_a_red_finding_that_nobody_named_lowers_precision_alone() -> None:
    found = scored({"before": verified(finding(EFI), finding(ONBOOT))})
    assert (found.checks_precision, found.checks_recall) == (Rate(of=2, hits=1), Rate(of=1, hits=1))
    assert found.verdict is Verdict.FAIL


def test_a_named_finding_that_is_not_red_lowers_recall_alone() -> None:
    found = scored({}, {"before": verified(decision="no-go")})
    assert (found.checks_precision, found.checks_recall) == (Rate(of=1, hits=1), Rate(of=2, hits=1))


@pytest.mark.parametrize(
    "changes",
    [{"before": verified(finding(EFI, Verdict.UNPROVEN), decision="no-go")}, {"before": None}],
)
def test_what_could_not_be_read_is_counted_apart_and_never_right(changes: dict[str, Any]) -> None:
    found = scored(changes)
    assert (found.checks_recall, found.unread) == (Rate(of=1, hits=0), 1)
    assert found.verdict is Verdict.UNPROVEN


def test_a_blocker_that_did_not_come_true_lowers_the_predictions_precision() -> None:
    found = scored({"drill": drilled(guests_boot__k3s1="pass", guests_boot__maas="pass")})
    assert found.prediction_precision == Rate(of=1, hits=0)
    assert found.prediction_recall == Rate(of=0, hits=0)
    assert found.prediction_recall.share is None
    assert str(found.prediction_recall) == "none to count"


def test_a_loss_that_no_blocker_named_lowers_the_predictions_recall() -> None:
    found = scored({"drill": drilled(**{**FELL, "guests_boot__maas": "fail"})})
    assert found.prediction_recall == Rate(of=3, hits=2)
    assert found.outcomes[0].foresight is not None
    assert found.outcomes[0].foresight.surprised == ("guests-boot [maas]",)


def test_what_a_drill_could_not_judge_is_counted_apart() -> None:
    found = scored({"drill": drilled(**FELL, addresses_stable__k3s1="unproven")})
    assert (found.unjudged, found.prediction_recall) == (1, Rate(of=2, hits=2))


def test_a_refused_drill_has_proven_nothing() -> None:
    found = scored({"drill": drilled(refused=("quorum",), **FELL)})
    assert found.outcomes[0].foresight is None
    assert found.prediction_precision.share is None


def test_a_drift_without_a_record_leaves_it_unproven() -> None:
    found = score([outcome(drifts.case(), record(), WELL, RACK)], ["gone@other"])
    assert (found.verdict, found.missing) == (Verdict.UNPROVEN, ("gone@other",))
    assert score([]).verdict is Verdict.UNPROVEN


def test_a_warning_and_what_the_act_leaves_alone_predict_nothing() -> None:
    other = finding(ONBOOT)
    warning = finding(EFI, severity=Severity.WARNING)
    told = foresight("reboot:pve1", verified(other, warning), drilled(**FELL), RACK)
    assert (told.came_true, told.did_not, told.foreseen) == ((), (), ())
    assert len(told.surprised) == 2


def test_a_finding_of_a_host_predicts_what_it_carries() -> None:
    drill = drilled(mounts_answer__pve1_vms="fail")
    told = foresight("reboot:pve1", verified(finding(MOUNT)), drill, RACK)
    assert told.came_true == ("what_is_mounted_comes_back [pve1]",)
    assert told.foreseen == ("mounts-answer [pve1-vms]",)


@pytest.mark.parametrize(
    ("name", "rests_on"),
    [
        ("k3s1-api", {"k3s1-api", "k3s1", "pve1"}),
        ("web", {"web", "docker1", "pve1"}),
        ("pve2-vms", {"pve2-vms", "pve2", "nas1"}),
        ("maas", {"maas", "pve1"}),
        ("k3s", {"k3s", "k3s1", "k3s2", "k3s3", "pve1", "pve2"}),
        ("rack", {"rack"}),
    ],
)
def test_what_a_part_rests_on(name: str, rests_on: set[str]) -> None:
    assert carriers(RACK, name) == rests_on
