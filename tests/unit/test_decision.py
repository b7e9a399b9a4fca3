"""Go, no-go, unproven: what findings decide, for which act."""

from __future__ import annotations

from datetime import date

import pytest

from blackstart.model.act import Act, parse_act
from blackstart.model.finding import Breaks, Finding, Severity, decide, expired
from blackstart.model.verdict import Verdict
from tests.simulation.inventories import small_site

TODAY = date(2026, 6, 15)


def finding(target: str, verdict: Verdict = Verdict.PASS, **more: object) -> Finding:
    body = {
        "check": "guest_starts_with_its_node",
        "target": target,
        "verdict": verdict,
        "severity": Severity.CRITICAL,
        "breaks": Breaks.BOOT,
        "claim": "It does.",
    }
    return Finding.model_validate(body | more)


INVENTORY = small_site()
NODE = next(iter(INVENTORY.nodes))
GUEST = next(iter(INVENTORY.guests_of(NODE)))
OTHER = next(name for name in INVENTORY.nodes if name != NODE)


def test_go_when_all_that_was_looked_at_holds() -> None:
    decision = decide([finding(GUEST)], None, INVENTORY, TODAY)
    assert (decision.word, decision.good) == ("go", 1)


def test_nothing_looked_at_is_no_go_and_no_pass() -> None:
    assert decide([], None, INVENTORY, TODAY).word == "unproven"
    absent = finding(GUEST, not_applicable="there is none")
    assert decide([absent], None, INVENTORY, TODAY).word == "unproven"


def test_only_what_the_act_leaves_alone_looked_at_is_no_go() -> None:
    act = parse_act(f"reboot:{NODE}", INVENTORY)
    assert decide([finding(OTHER)], act, INVENTORY, TODAY).word == "unproven"


def test_one_critical_finding_forbids_the_act() -> None:
    found = [finding(GUEST, Verdict.FAIL), finding(OTHER)]
    decision = decide(found, parse_act(f"reboot:{NODE}", INVENTORY), INVENTORY, TODAY)
    assert (decision.word, [item.target for item in decision.blockers]) == ("no-go", [GUEST])


def test_a_warning_is_told_and_forbids_nothing() -> None:
    found = [finding(GUEST, Verdict.FAIL, severity=Severity.WARNING), finding(OTHER)]
    decision = decide(found, None, INVENTORY, TODAY)
    assert (decision.word, len(decision.warnings)) == ("go", 1)


def test_what_was_not_seen_blocks_only_an_act_that_touches_it() -> None:
    found = [finding(OTHER, Verdict.UNPROVEN), finding(GUEST)]
    here = decide(found, parse_act(f"reboot:{NODE}", INVENTORY), INVENTORY, TODAY)
    there = decide(found, parse_act(f"reboot:{OTHER}", INVENTORY), INVENTORY, TODAY)
    assert (here.word, there.word) == ("go", "unproven")
    assert [item.target for item in here.elsewhere] == [OTHER]


def test_a_critical_finding_outranks_what_was_not_seen() -> None:
    found = [finding(OTHER, Verdict.UNPROVEN), finding(GUEST, Verdict.FAIL)]
    assert decide(found, None, INVENTORY, TODAY).word == "no-go"


@pytest.mark.parametrize("act", ["cold-start", "upgrade"])
def test_an_act_on_all_of_it_touches_everything(act: str) -> None:
    found = [finding(OTHER, Verdict.FAIL)]
    assert decide(found, parse_act(act, INVENTORY), INVENTORY, TODAY).word == "no-go"


def test_what_concerns_the_site_or_is_touched_along_concerns_every_act() -> None:
    act = Act(kind="reboot", node=NODE)
    whole = finding(INVENTORY.site, Verdict.FAIL)
    along = finding(OTHER, Verdict.FAIL, touches=(GUEST,))
    assert decide([whole], act, INVENTORY, TODAY).word == "no-go"
    assert decide([along], act, INVENTORY, TODAY).word == "no-go"


ACCEPT = {"check": "guest_starts_with_its_node", "target": GUEST, "reason": "ticket 12"}


@pytest.mark.parametrize("verdict", [Verdict.FAIL, Verdict.UNPROVEN])
def test_an_accepted_finding_is_shown_and_decides_nothing_until_its_day_is_over(
    verdict: Verdict,
) -> None:
    accepting = small_site(accept=[ACCEPT | {"until": "2026-06-15"}])
    found = [finding(GUEST, verdict), finding(OTHER)]
    decision = decide(found, None, accepting, TODAY)
    assert (decision.word, decision.accepted[0].reason) == ("go", "ticket 12")
    assert expired(accepting, TODAY) == ()
    tomorrow = date(2026, 6, 16)
    assert decide(found, None, accepting, tomorrow).word != "go"
    (late,) = expired(accepting, tomorrow)
    assert (late.verdict, late.target) == (Verdict.FAIL, GUEST)
    assert "until 2026-06-15" in late.problem


def test_what_would_not_start_comes_first() -> None:
    found = [
        finding("a", Verdict.FAIL, breaks=Breaks.DATA),
        finding("b", Verdict.FAIL),
    ]
    decision = decide(found, None, INVENTORY, TODAY)
    assert [item.target for item in decision.blockers] == ["b", "a"]


@pytest.mark.parametrize("text", ["reboot", "reboot:", "reboot:nobody", "shutdown", "upgrade:x"])
def test_another_act_is_refused_with_what_can_be_written(text: str) -> None:
    with pytest.raises(ValueError, match="write"):
        parse_act(text, INVENTORY)
