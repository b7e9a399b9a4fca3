"""guests-boot: running, booted, on its node, in time."""

from __future__ import annotations

import pytest

from blackstart.invariants import guests_boot
from blackstart.invariants.base import Evidence
from blackstart.model.samples import Sample, Series
from blackstart.model.verdict import Verdict

from .site import BEGAN, ENDED, good, lost, put, seen, series, with_series

PASS, FAIL, UNPROVEN = Verdict.PASS, Verdict.FAIL, Verdict.UNPROVEN


def box(evidence: Evidence) -> tuple[Verdict, str]:
    judged = {item.target: item for item in guests_boot("a1").judge(evidence)}
    assert set(judged) == {"box"}
    return judged["box"].verdict, judged["box"].reason


def test_all_is_well() -> None:
    verdict, reason = box(good())
    assert verdict is PASS
    assert reason == "runs and is booted; back after 30s to 31s, budget 60s"


def test_the_whole_site_without_what_is_meant_to_be_off() -> None:
    judged = {item.target: item for item in guests_boot().judge(good())}
    assert set(judged) == {"box", "far"}
    assert judged["far"].reason == "runs and is booted; never failed, budget 60s"


def test_no_guests_are_unproven() -> None:
    (judged,) = guests_boot("a3").judge(good())
    assert (judged.verdict, judged.target) == (UNPROVEN, "a3")
    assert judged.reason == "no running guest is declared on a3"


BROKEN = {
    "stopped": (
        put(good(), "after", "guests.box.status", seen("stopped")),
        "box is stopped",
    ),
    "onboot off": (
        put(
            put(good(), "after", "guests.box.status", seen("stopped")),
            "after",
            "guests.box.onboot",
            seen(False),
        ),
        "box is stopped: onboot is off, so its node does not start it; set onboot 1",
    ),
    "not booted": (
        put(good(), "after", "guests.box.booted", seen(False)),
        "box runs and has not booted",
    ),
    "elsewhere": (
        put(good(), "after", "guests.box.node", seen("a2")),
        "box runs on a2; before the fault on a1",
    ),
    "too late": (
        with_series(good(), series("guest/box", (101.0, 171.0))),
        "icmp guest/box still failed 70s after the fault; its budget is 60s",
    ),
    "down at the end": (
        with_series(good(ended_at=150.0), series("guest/box", (101.0, 999.0), ended=150.0)),
        "icmp guest/box did not answer when the drill ended",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_promise_is_red(name: str) -> None:
    evidence, said = BROKEN[name]
    verdict, reason = box(evidence)
    assert verdict is FAIL
    assert reason.startswith(said)


def without(at: float, series: Series) -> Series:
    kept = tuple(sample for sample in series.samples if sample.at != at)
    return series.model_copy(update={"samples": kept})


UNKNOWN = {
    "stopped before": (
        put(good(), "before", "guests.box.status", seen("stopped")),
        "box was stopped before the fault",
    ),
    "not booted before": (
        put(good(), "before", "guests.box.booted", seen(False)),
        "box ran and was not booted before the fault",
    ),
    "status not read": (
        put(good(), "after", "guests.box.status", lost("api a1", "595")),
        "status of box not seen: 595 (api a1)",
    ),
    "agent not asked": (
        put(good(), "after", "guests.box.booted", lost("api a1", "403")),
        "boot state of box not seen: 403 (api a1)",
    ),
    "node not read": (
        put(good(), "after", "guests.box.node", lost()),
        "node of box not seen: no answer (read)",
    ),
    "not read before": (
        put(good(), "before", "guests.box.status", lost()),
        "status of box before the fault not seen: no answer (read)",
    ),
    "nobody looked": (
        put(good(), "after", "guests.box", None),
        "status of box not seen: nobody looked",
    ),
    "nobody asked": (
        good(during=()),
        "nothing asked guest/box during the drill",
    ),
    "no samples": (
        with_series(good(), series("guest/box").model_copy(update={"samples": ()})),
        "probe icmp guest/box has lost",
    ),
    "one answer lost": (
        with_series(good(), without(150.0, series("guest/box", (101.0, 131.0)))),
        "probe icmp guest/box has lost 1 of its 121 answers",
    ),
    "probe broke": (
        with_series(good(), series("guest/box").model_copy(update={"broken": "no route"})),
        "probe icmp guest/box broke: no route",
    ),
    "not held": (
        with_series(good(ended_at=140.0), series("guest/box", (101.0, 135.0), ended=140.0)),
        "icmp guest/box was good for 5.0s of the 10s to hold",
    ),
    "fell silent": (
        with_series(good(), series("guest/box", ended=180.0)),
        "icmp guest/box fell silent before the drill ended",
    ),
    "budget between the bounds": (
        with_series(
            good(),
            series("guest/box", (101.0, 159.0)).model_copy(
                update={
                    "samples": (
                        Sample(at=BEGAN + 1, ok=True),
                        *(Sample(at=BEGAN + turn, ok=False) for turn in range(2, 60)),
                        *(Sample(at=BEGAN + turn, ok=True) for turn in range(61, 101)),
                    ),
                    "asked": None,
                }
            ),
        ),
        "icmp guest/box recovered between 59s and 61s; its budget of 60s lies between",
    ),
    "never seen down under a reboot": (
        with_series(good(), series("guest/box")),
        "a1 rebooted and no answer failed: who was asked?",
    ),
    "never seen down, boot not read": (
        put(with_series(good(), series("guest/box")), "after", "hosts.a1.boot_id", lost()),
        "boot id of a1 not seen: no answer (read)",
    ),
    "never seen down, boot not read before": (
        put(with_series(good(), series("guest/box")), "before", "hosts.a1.boot_id", lost()),
        "boot id of a1 before the fault not seen: no answer (read)",
    ),
}


@pytest.mark.parametrize("name", UNKNOWN)
def test_what_is_not_known_is_unproven(name: str) -> None:
    evidence, said = UNKNOWN[name]
    verdict, reason = box(evidence)
    assert verdict is UNPROVEN
    assert reason.startswith(said)


def test_ill_before_is_no_failure_afterwards() -> None:
    ill = put(good(), "before", "guests.box.status", seen("stopped"))
    ill = put(ill, "after", "guests.box.status", seen("stopped"))
    assert box(ill)[0] is UNPROVEN


def test_every_probe_of_a_guest_must_recover() -> None:
    slow = series("guest/box", (101.0, 181.0)).model_copy(update={"probe": "agent box"})
    evidence = good(during=(*good().during, slow))
    verdict, reason = box(evidence)
    assert verdict is FAIL
    assert reason == "agent box still failed 80s after the fault; its budget is 60s"


def test_the_reason_stays_short_and_the_evidence_is_whole() -> None:
    evidence = good(during=())
    for field in ("status", "booted", "node"):
        evidence = put(evidence, "after", f"guests.box.{field}", lost())
    (judged,) = guests_boot("a1").judge(evidence)
    assert judged.reason.endswith("; and 1 more")
    assert len(judged.evidence) == 4


def test_the_hold_counts_up_to_the_end_of_the_wait() -> None:
    """Samples that stop before the end prove no hold, however long they were good."""
    late = with_series(good(ended_at=ENDED + 60), series("guest/box", (101.0, 131.0)))
    assert box(late)[0] is not PASS
