"""What the owner says does not apply to their site: shown with its reason, and still asked."""

from __future__ import annotations

from collections.abc import Iterable

from blackstart.model.finding import Breaks, Finding, Severity
from blackstart.model.inventory import Inventory
from blackstart.model.verdict import Verdict

DECLARED = "inventory: not_applicable"
"""The evidence of every finding that rests on the owner's word alone."""


def declared(findings: Iterable[Finding], inventory: Inventory) -> tuple[Finding, ...]:
    """The findings, those that the owner declares not applicable set apart with the reason.

    A claim that holds all the same stays as it is, and its declaration is itself a finding,
    as is one that no check answers to: it would hide the day on which it applies.
    """
    reasons = reasons_of(inventory)
    told: list[Finding] = []
    used: set[tuple[str, str]] = set()
    for finding in findings:
        reason = reasons.get(finding.key)
        if reason is None or finding.verdict is Verdict.PASS:
            told.append(finding)
            continue
        used.add(finding.key)
        changes = {
            "verdict": Verdict.PASS,
            "not_applicable": reason,
            "evidence": (*finding.evidence, DECLARED),
        }
        told.append(finding.model_copy(update=changes))
    told += (_needless(check, target) for check, target in sorted(reasons.keys() - used))
    return tuple(told)


def reasons_of(inventory: Inventory) -> dict[tuple[str, str], str]:
    """Why a check does not apply to a target, by both their names."""
    return {
        (item.check, target): item.reason
        for item in inventory.not_applicable
        for target in item.targets
    }


def _needless(check: str, target: str) -> Finding:
    return Finding(
        check="declaration_is_needed",
        target=target,
        verdict=Verdict.FAIL,
        severity=Severity.WARNING,
        breaks=Breaks.VISIBILITY,
        claim="What is declared not applicable would otherwise be a finding.",
        problem=f"{check} is declared not applicable, and it holds there or is not asked",
        evidence=(DECLARED,),
        fix="take the entry out of not_applicable, or correct its check and targets",
    )
