"""What the owner declares not applicable: shown, asked all the same, told when not needed."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from blackstart.evidence.decision import Told, lines
from blackstart.model.applicability import DECLARED, declared
from blackstart.model.finding import decide
from blackstart.model.inventory import Inventory, NotApplicable
from blackstart.model.verdict import Verdict

from .test_decision import GUEST, INVENTORY, NODE, TODAY, finding

CHECK = "clock_is_in_sync"


def saying(*targets: str, check: str = CHECK) -> Inventory:
    entry = NotApplicable(check=check, targets=targets, reason="it has no clock of its own")
    return INVENTORY.model_copy(update={"not_applicable": (entry,)})


@pytest.mark.parametrize("verdict", [Verdict.FAIL, Verdict.UNPROVEN])
def test_what_does_not_apply_forbids_nothing_and_keeps_its_reason(verdict: Verdict) -> None:
    found = [finding(NODE, verdict, check=CHECK, problem="no"), finding(GUEST)]
    inventory = saying(NODE)
    (told, _) = declared(found, inventory)
    assert told.verdict is Verdict.PASS
    assert told.not_applicable == "it has no clock of its own"
    assert (told.problem, told.evidence) == ("no", (DECLARED,))
    decision = decide(declared(found, inventory), None, inventory, TODAY)
    assert (decision.word, decision.good) == ("go", 1)
    assert decision.not_applicable == (told,)


def test_only_the_named_check_of_the_named_target_is_set_apart() -> None:
    found = [
        finding(NODE, Verdict.FAIL, check=CHECK),
        finding(GUEST, Verdict.FAIL, check=CHECK),
        finding(NODE, Verdict.FAIL, check="own_name"),
    ]
    verdicts = [item.verdict for item in declared(found, saying(NODE))]
    assert verdicts == [Verdict.PASS, Verdict.FAIL, Verdict.FAIL]


def test_a_declaration_that_hides_nothing_is_a_finding() -> None:
    holds = [finding(NODE, check=CHECK)]
    first, needless = declared(holds, saying(NODE))
    assert first == holds[0]
    assert (needless.check, needless.target) == ("declaration_is_needed", NODE)
    assert needless.verdict is Verdict.FAIL


def test_a_declaration_of_a_check_that_is_not_there_is_a_finding() -> None:
    (_, needless) = declared([finding(NODE, check=CHECK)], saying(NODE, check="clok_is_in_sync"))
    assert "clok_is_in_sync is declared not applicable" in needless.problem


def test_what_is_declared_is_always_shown_and_what_was_seen_only_with_all() -> None:
    found = [finding(NODE, Verdict.FAIL, check=CHECK), finding(GUEST, not_applicable="no Ceph")]
    inventory = saying(NODE)
    findings = declared([*found, finding("other")], inventory)
    decision = decide(findings, None, inventory, TODAY)
    told = Told(decision, findings, "lab", (), None)
    short = [text for label, text, _ in lines(told, 5) if label == "n/a"]
    whole = [text for label, text, _ in lines(told, None) if label == "n/a"]
    assert short == [f"{CHECK} [{NODE}]: it has no clock of its own"]
    assert len(whole) == 2


@pytest.mark.parametrize("change", [{"reason": ""}, {"targets": ()}, {"until": "2026-01-01"}])
def test_an_entry_needs_a_reason_and_targets_and_has_no_date(change: dict[str, object]) -> None:
    body = {"check": CHECK, "targets": ("a1",), "reason": "none"}
    with pytest.raises(ValidationError):
        NotApplicable.model_validate(body | change)
