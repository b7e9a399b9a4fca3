"""boot-order-as-predicted: a prediction is held against what came back, stage by stage."""

from __future__ import annotations

from dataclasses import replace

import pytest

from blackstart.graph.predicting import predict
from blackstart.invariants import boot_order_as_predicted
from blackstart.invariants.base import Evidence
from blackstart.model.boot_schedule import Prediction
from blackstart.model.samples import Series
from blackstart.model.verdict import Judgement, Verdict
from tests.unit.graph import sites
from tests.unit.graph.sites import by_name, inputs, with_fstab

from .site import BEGAN, good, series, with_series

FAIL, UNPROVEN, PASS = Verdict.FAIL, Verdict.UNPROVEN, Verdict.PASS
OFF_S = 10.0
ENDED = 400.0
BACK_S = {
    **{"node/pve1": 40.0, "node/pve2": 50.0, "node/nas1": 30.0},
    **{"mount/pve1-vms": 55.0, "mount/pve2-vms": 60.0},
    **{"guest/maas": 70.0, "dns/maas": 75.0, "dhcp/maas": 80.0, "guest/docker1": 120.0},
    **{"guest/dns2": 65.0, "dns/dns2": 66.0},
}
"""Seconds after power was back."""
STAGES = [f"stage {number}" for number in (1, 2, 3, 4, 5)]


def prediction(given: sites.BootInputs | None = None, *, measured: bool = True) -> Prediction:
    given = given or inputs(3)
    return predict(sites.graph(given), given.inventory, [("cold", BACK_S)] if measured else [])


def came(part: str, after_s: float) -> Series:
    """Dark from the cut on, back so many seconds after power was; 9999 for never."""
    return series(part, (BEGAN, BEGAN + OFF_S + after_s), ended=ENDED)


def drill(**back_s: float) -> Evidence:
    """A cold start that went as predicted, but for these."""
    changed = {name.replace("__", "/").replace("_", "-"): at for name, at in back_s.items()}
    return good(
        fault="cold-start",
        target="lab",
        during=tuple(came(part, at) for part, at in {**BACK_S, **changed}.items()),
        ended_at=ENDED,
        withheld_s=OFF_S,
    )


def judged(evidence: Evidence, predicted: Prediction | None = None) -> dict[str, Judgement]:
    found = boot_order_as_predicted(predicted or prediction()).judge(evidence)
    return {item.target: item for item in found}


def test_what_went_as_predicted_passes_stage_by_stage() -> None:
    found = judged(drill())
    assert list(found) == STAGES
    assert {item.verdict for item in found.values()} == {PASS}
    assert found["stage 3"].reason == ("2 came back after what they need: guest/dns2, guest/maas")
    assert "guest/maas: predicted 70s, came between 69s and 70s" in found["stage 3"].evidence


def test_before_what_it_needs_shows_a_graph_that_is_wrong() -> None:
    found = judged(drill(guest__docker1=60.0))["stage 5"]
    assert found.verdict is FAIL
    assert found.reason.startswith(
        "guest/docker1 answered 60s after power, lease/lab not before 76s, and it has its "
        "address by DHCP: api GET nodes/pve1/qemu/102/config: ipconfig0: ip=dhcp"
    )


def test_a_second_between_two_samples_is_no_wrong_order() -> None:
    assert judged(drill(dns__maas=68.0))["stage 4"].verdict is PASS


def test_far_later_than_measured_is_not_as_predicted() -> None:
    found = judged(drill(guest__maas=230.0, dns__maas=231.0))
    assert found["stage 3"].verdict is FAIL
    assert found["stage 3"].reason == (
        "guest/maas was predicted for 70s after power, and was not there after 3m49s"
    )
    assert judged(drill(guest__maas=190.0))["stage 3"].verdict is PASS


def test_times_that_nobody_measured_are_told_and_not_judged() -> None:
    found = judged(drill(guest__maas=230.0), prediction(measured=False))["stage 3"]
    assert found.verdict is PASS
    assert "guest/maas: predicted at least 0.0s, came between 3m49s and 3m50s" in found.evidence


def test_predicted_to_come_back_and_did_not() -> None:
    found = judged(drill(guest__dns2=9999.0))["stage 3"]
    assert (found.verdict, found.reason) == (
        FAIL,
        "guest/dns2 was predicted to come back, and did not",
    )


def test_what_gets_its_power_late_is_not_late() -> None:
    late = {"node/nas1": 120.0, "mount/pve1-vms": 120.0, "mount/pve2-vms": 120.0}
    evidence = replace(
        drill(node__nas1=150.0, mount__pve1_vms=165.0, mount__pve2_vms=170.0), later_s=late
    )
    assert {item.verdict for item in judged(evidence).values()} == {PASS}


def test_a_deadlock_that_is_none_is_red() -> None:
    found = judged(drill(), prediction(by_name(inputs(3), "pve1", "pve2")))["never"]
    assert found.verdict is FAIL
    assert "dns/maas was predicted never to start and came back after 75s" in found.evidence


def test_a_deadlock_that_is_one_is_as_predicted() -> None:
    dark = {part: 9999.0 for part in BACK_S if not part.startswith("node/")}
    evidence = with_series(drill(), *(came(part, at) for part, at in dark.items()))
    found = judged(evidence, prediction(by_name(inputs(3), "pve1", "pve2")))
    assert {name: item.verdict for name, item in found.items()} == {"stage 1": PASS, "never": PASS}


def without(evidence: Evidence, part: str) -> Evidence:
    return replace(evidence, during=tuple(x for x in evidence.during if x.subject != part))


UNKNOWN = {
    "nobody asked": (
        without(drill(), "guest/maas"),
        "nothing asked guest/maas during the drill",
    ),
    "never dark": (
        with_series(drill(), series("guest/maas", ended=ENDED)),
        "icmp guest/maas was not seen down when power was back",
    ),
    "the probe broke": (
        with_series(drill(), came("guest/maas", 70.0).model_copy(update={"broken": "no socket"})),
        "probe icmp guest/maas broke: no socket",
    ),
}


@pytest.mark.parametrize("name", UNKNOWN)
def test_what_was_not_seen_is_unproven(name: str) -> None:
    evidence, reason = UNKNOWN[name]
    found = judged(evidence)["stage 3"]
    assert (found.verdict, found.reason) == (UNPROVEN, reason)


def test_what_was_not_known_before_is_unproven() -> None:
    all_of_it = judged(drill(), prediction(with_fstab(inputs(3), pve1=None)))
    assert all_of_it["stage 1"].verdict is PASS, "a machine boots whatever it mounts"
    found = all_of_it["stage 3"]
    assert found.verdict is UNPROVEN
    assert found.reason.startswith("not all was known of boot/pve1: what its boot mounts")
    of_guest = judged(drill(), prediction(sites.unreadable(inputs(3), "maas")))["stage 3"]
    assert of_guest.verdict is UNPROVEN


def test_a_mount_that_answers_late_says_nothing_of_those_who_use_it() -> None:
    given = sites.with_guest(inputs(3), "docker1", scsi0="nas-vms:1/x.raw")
    found = judged(drill(mount__pve1_vms=250.0), prediction(given, measured=False))
    assert {item.verdict for item in found.values()} == {PASS}


def test_a_name_is_waited_for_until_the_first_resolver_only() -> None:
    given = by_name(inputs(3), "pve1")
    late_maas = drill(guest__maas=200.0, dns__maas=210.0, mount__pve1_vms=90.0, dhcp__maas=205.0)
    late_maas = with_series(late_maas, came("guest/docker1", 240.0))
    found = judged(late_maas, prediction(given, measured=False))
    assert {item.verdict for item in found.values()} == {PASS}
    no_resolver = drill(dns__maas=210.0, dns__dns2=210.0, guest__maas=80.0, mount__pve1_vms=75.0)
    early = judged(no_resolver, prediction(given, measured=False))
    assert [name for name, item in early.items() if item.verdict is FAIL] == ["stage 5"]
    assert "name/nas1.lab.test for pve1 not before 3m26s" in early["stage 5"].reason


def test_nothing_to_judge_is_unproven() -> None:
    empty = prediction().model_copy(update={"probed": frozenset()})
    (found,) = boot_order_as_predicted(empty).judge(drill())
    assert (found.verdict, found.reason) == (UNPROVEN, "the graph has no part that is probed")
