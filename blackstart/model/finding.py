"""What a check says of one target, and what a list of them decides.

A finding is data, so that terminal, JSON and report say the same of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from enum import StrEnum

from blackstart.model.act import Act
from blackstart.model.inventory import Acceptance, Inventory
from blackstart.model.observed import Record
from blackstart.model.verdict import Verdict


class Breaks(StrEnum):
    """What would go wrong (docs/checks.md)."""

    BOOT = "boot"
    DELAY = "delay"
    DATA = "data"
    ADDRESS = "address"
    REDUNDANCY = "redundancy"
    VISIBILITY = "visibility"


class Severity(StrEnum):
    """What it would cost. ``critical`` forbids the act, a ``warning`` is told and does not."""

    CRITICAL = "critical"
    WARNING = "warning"


class Finding(Record):
    """One claim about one target: does it hold, how is that known, what mends it.

    ``claim`` is the check's own sentence, ``problem`` what is wrong or why it is not known,
    ``evidence`` where that was read, ``fix`` a command that destroys no data, ``incident`` the
    outage that taught it. ``touches`` names what else it is about, ``not_applicable`` how it
    was seen that there is nothing to check.
    """

    check: str
    target: str
    verdict: Verdict
    severity: Severity
    breaks: Breaks
    claim: str
    problem: str = ""
    evidence: tuple[str, ...] = ()
    fix: str = ""
    incident: str | None = None
    touches: tuple[str, ...] = ()
    not_applicable: str | None = None

    @property
    def blocks_boot(self) -> bool:
        """Whether something would not start."""
        return self.breaks is Breaks.BOOT

    @property
    def key(self) -> tuple[str, str]:
        """What identifies it from one run to the next."""
        return self.check, self.target

    def accepted_by(self, accept: Iterable[Acceptance], today: date) -> Acceptance | None:
        """The owner's leave for it, while one is in force; never for what is well."""
        if self.verdict is Verdict.PASS:
            return None
        in_force = (item for item in accept if item.until >= today)
        return next((item for item in in_force if (item.check, item.target) == self.key), None)

    def is_touched_by(self, scope: frozenset[str] | None) -> bool:
        """Whether an act that touches these names (``None``: everything) concerns it."""
        return scope is None or not scope.isdisjoint({self.target, *self.touches})


class Accepted(Record):
    """A finding that the owner lives with until a date, and why."""

    finding: Finding
    reason: str
    until: date


class Decision(Record):
    """Go or no-go for one act (or for none in particular), and what it rests on.

    ``verdict``: pass is go, fail no-go, unproven neither. ``blockers`` forbid the act,
    ``unseen`` could not be read and touch it, ``warnings`` are wrong and do not forbid it,
    ``elsewhere`` touches other parts of the site, ``good`` and ``not_applicable`` hold.
    """

    act: str | None
    verdict: Verdict
    blockers: tuple[Finding, ...]
    unseen: tuple[Finding, ...]
    warnings: tuple[Finding, ...]
    elsewhere: tuple[Finding, ...]
    accepted: tuple[Accepted, ...]
    good: int
    not_applicable: tuple[Finding, ...]

    @property
    def word(self) -> str:
        """``go``, ``no-go`` or ``unproven``."""
        return {Verdict.PASS: "go", Verdict.FAIL: "no-go", Verdict.UNPROVEN: "unproven"}[
            self.verdict
        ]


def decide(
    findings: Iterable[Finding], act: Act | None, inventory: Inventory, today: date
) -> Decision:
    """Go only when something that the act touches was looked at and holds, nothing critical is
    wrong there, and all that counts was seen.

    An acceptance of the inventory takes a finding out of the decision until its date, whether
    it is wrong or could not be read; an expired one counts for nothing and is itself a finding.
    """
    scope = act.touches(inventory) if act else None
    accepted: list[Accepted] = []
    blockers: list[Finding] = []
    unseen: list[Finding] = []
    warnings: list[Finding] = []
    elsewhere: list[Finding] = []
    holding: list[Finding] = []
    for finding in sorted(findings, key=_urgency):
        acceptance = finding.accepted_by(inventory.accept, today)
        if finding.verdict is Verdict.PASS:
            holding.append(finding)
        elif acceptance is not None:
            kept = Accepted(finding=finding, reason=acceptance.reason, until=acceptance.until)
            accepted.append(kept)
        elif not finding.is_touched_by(scope):
            elsewhere.append(finding)
        elif finding.verdict is Verdict.UNPROVEN:
            unseen.append(finding)
        elif finding.severity is Severity.CRITICAL:
            blockers.append(finding)
        else:
            warnings.append(finding)
    good = [finding for finding in holding if finding.not_applicable is None]
    verdict = Verdict.FAIL if blockers else Verdict.UNPROVEN if unseen else Verdict.PASS
    if verdict is Verdict.PASS and not any(item.is_touched_by(scope) for item in good):
        verdict = Verdict.UNPROVEN  # nothing was looked at, or only what the act leaves alone
    return Decision(
        act=str(act) if act else None,
        verdict=verdict,
        blockers=tuple(blockers),
        unseen=tuple(unseen),
        warnings=tuple(warnings),
        elsewhere=tuple(elsewhere),
        accepted=tuple(accepted),
        good=len(good),
        not_applicable=tuple(item for item in holding if item.not_applicable is not None),
    )


def expired(inventory: Inventory, today: date) -> tuple[Finding, ...]:
    """Acceptances whose date is over: somebody meant to mend it by then."""
    return tuple(
        Finding(
            check="acceptance_has_not_expired",
            target=item.target,
            verdict=Verdict.FAIL,
            severity=Severity.WARNING,
            breaks=Breaks.VISIBILITY,
            claim="What the owner lives with is looked at again by its date.",
            problem=f"{item.check} was accepted until {item.until} ({item.reason})",
            evidence=("inventory: accept",),
            fix="mend it, or give the entry a new date",
        )
        for item in inventory.accept
        if item.until < today
    )


def _urgency(finding: Finding) -> tuple[bool, bool, str, str]:
    critical = finding.severity is Severity.CRITICAL
    return not finding.blocks_boot, not critical, finding.check, finding.target
