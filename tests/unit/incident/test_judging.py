"""A replay against its drift: each way in which it can be otherwise, and each that is not known."""

from __future__ import annotations

from typing import Any

import pytest

from blackstart.incident.judging import Outcome, outcome
from blackstart.model.finding import Severity
from blackstart.model.verdict import Verdict

from . import drifts
from .drifts import EFI, FELL, HARMLESS, ONBOOT, RACK, WELL, drilled, finding, record, verified

UNREAD = Verdict.UNPROVEN


def judged(drift: dict[str, Any] | None = None, **changes: Any) -> Outcome:
    return outcome(drifts.case(**(drift or {})), record(**changes), WELL, RACK)


def test_all_as_expected() -> None:
    found = judged()
    assert (found.verdict, found.reasons, found.gaps) == (Verdict.PASS, (), ())
    assert found.findings.found == ("uefi_guest_has_its_efi_disk [k3s1]",)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"before": verified(decision="no-go")},
            "uefi_guest_has_its_efi_disk [k3s1] was to be red",
        ),
        (
            {"before": verified(finding(EFI), decision="go")},
            "before reboot:pve1 the decision is go, not no-go",
        ),
        (
            {"before": verified(finding(EFI), finding(ONBOOT))},
            "guest_starts_with_its_node [app1] is red and the drift does not name it",
        ),
        (
            {"drill": drilled(guests_boot__k3s1="pass")},
            "in the drill guests-boot [k3s1] was to fail and did not",
        ),
        ({"drill": drilled()}, "in the drill guests-boot [k3s1] was to fail and did not"),
        (
            {"drill": drilled(**{**FELL, "guests_boot__maas": "fail"})},
            "in the drill guests-boot [maas] fails, not named: so it was",
        ),
        ({"after": verified(finding(EFI))}, "after the fix uefi_guest_has_its_efi_disk [k3s1] is"),
        (
            {"after": verified(finding(ONBOOT, severity=Severity.WARNING))},
            "after the fix guest_starts_with_its_node [app1] is red",
        ),
        ({"after": verified(decision="no-go")}, "after the fix the decision is no-go, not go"),
        (
            {"after": verified(good=(ONBOOT,), not_applicable=(EFI,))},
            "after the fix uefi_guest_has_its_efi_disk [k3s1] does not apply any more",
        ),
        (
            {"after": verified(good=(ONBOOT,), accepted=(EFI,))},
            "after the fix uefi_guest_has_its_efi_disk [k3s1] is accepted, not mended",
        ),
    ],
)
def test_what_is_otherwise_fails(changes: dict[str, Any], said: str) -> None:
    found = judged(**changes)
    assert found.verdict is Verdict.FAIL
    assert any(reason.startswith(said) for reason in found.reasons), found.reasons


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"before": None}, "nobody has verified the site with the drift"),
        ({"drill": None}, "the drill was not run to its end"),
        ({"drill": drilled(refused=("healthy: k3s1 is ill",))}, "the drill was refused: healthy"),
        (
            {"drill": drilled(guests_boot__k3s1="unproven")},
            "in the drill guests-boot [k3s1] is unproven",
        ),
        ({"after": None}, "nobody has verified the site after the fix"),
        (
            {"after": verified(finding(EFI, UNREAD), decision="go")},
            "after the fix uefi_guest_has_its_efi_disk [k3s1] was not seen",
        ),
        (
            {"after": verified(good=(ONBOOT,))},
            "after the fix nothing says how uefi_guest_has_its_efi_disk [k3s1] is",
        ),
        (
            {"before": verified(finding(EFI, UNREAD), decision="no-go")},
            "uefi_guest_has_its_efi_disk [k3s1] was not seen",
        ),
        (
            {"before": verified(finding(EFI), finding(ONBOOT, UNREAD))},
            "guest_starts_with_its_node [app1] was not seen",
        ),
        ({"trouble": ("rack ssh pve1 exited 1",)}, "rack ssh pve1 exited 1"),
        (
            {"drill": drilled(**FELL, fault_bit__pve1="unproven")},
            "in the drill fault-bit [pve1] is unproven",
        ),
    ],
)
def test_what_is_not_known_is_unproven(changes: dict[str, Any], said: str) -> None:
    found = judged(**changes)
    assert (found.verdict, found.reasons) == (Verdict.UNPROVEN, ())
    assert any(gap.startswith(said) for gap in found.gaps), found.gaps


def test_what_followed_is_to_hold_again_as_well() -> None:
    follows = {"follows": [drifts.claim(ONBOOT)]}
    before = verified(finding(EFI), finding(ONBOOT))
    found = judged(follows, before=before, after=verified(good=(EFI,), not_applicable=(ONBOOT,)))
    assert found.reasons == (
        "after the fix guest_starts_with_its_node [app1] does not apply any more",
    )


def test_what_was_not_red_need_not_apply_after_the_fix() -> None:
    after = verified(good=(EFI,), not_applicable=(ONBOOT,))
    assert judged(after=after).verdict is Verdict.PASS


def test_without_a_look_at_the_healthy_site_nothing_is_proven() -> None:
    found = outcome(drifts.case(), record(), None, RACK)
    assert found.verdict is Verdict.UNPROVEN


def test_a_named_finding_that_could_not_be_read_is_never_right() -> None:
    found = judged(before=verified(finding(EFI, UNREAD), decision="no-go")).findings
    assert (found.found, found.missed) == ((), ())
    assert found.unread == ("uefi_guest_has_its_efi_disk [k3s1]",)
    assert judged(before=None).findings.unread == found.unread


def test_what_follows_may_be_red_and_need_not() -> None:
    follows = {"follows": [drifts.claim(ONBOOT)]}
    both = judged(follows, before=verified(finding(EFI), finding(ONBOOT)))
    assert (both.verdict, both.findings.followed) == (
        Verdict.PASS,
        ("guest_starts_with_its_node [app1]",),
    )
    assert judged(follows).verdict is Verdict.PASS


def test_what_the_drift_hides_must_be_hidden() -> None:
    hides = {"unseen": [drifts.claim(ONBOOT)]}
    hidden = verified(finding(EFI), finding(ONBOOT, UNREAD))
    assert judged(hides, before=hidden).verdict is Verdict.PASS
    assert judged(hides).reasons == (
        "guest_starts_with_its_node [app1] was to be hidden by the drift and is not",
    )


def test_what_stays_is_no_reason_and_all_else_is() -> None:
    stays = {"stays": [{**drifts.claim(ONBOOT), "reason": "until the next boot"}]}
    left = finding(ONBOOT, severity=Severity.WARNING)
    assert judged(stays, after=verified(left)).verdict is Verdict.PASS
    assert judged(stays, after=verified(left, finding(EFI))).verdict is Verdict.FAIL


def test_that_most_things_changed_is_no_surprise() -> None:
    found = judged(drill=drilled(**FELL, nothing_else_changed__rack="fail"))
    assert found.verdict is Verdict.PASS


def test_a_harmless_change_stays_go() -> None:
    quiet = {"drill": None, "after": None}
    assert judged(HARMLESS, before=verified(), **quiet).verdict is Verdict.PASS
    alarmed = judged(HARMLESS, before=verified(finding(EFI)), **quiet)
    assert alarmed.verdict is Verdict.FAIL
    assert alarmed.findings.wrong == ("uefi_guest_has_its_efi_disk [k3s1]",)
