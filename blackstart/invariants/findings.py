"""What stands between a target and a pass: findings, and the judgement they add up to.

A pass is what is left when nothing was found. A fact that could not be read is a finding
too (``unproven``), so that to lose a fact can never turn anything else into a pass.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from blackstart.model.facts import Observed
from blackstart.model.verdict import Judgement, Verdict, worst

T = TypeVar("T")

MOST_REASONS = 3
"""Reasons in one sentence; a person at 23:00 reads no more, the evidence has them all."""


@dataclass(slots=True)
class Findings:
    """Collects what was found wrong or could not be seen about one target.

    ``ill_before`` is for what was not well before the fault: then nothing that follows
    can be blamed on the fault, nor be called recovered from it.
    """

    name: str
    target: str
    _failed: list[str] = field(default_factory=list)
    _unproven: list[str] = field(default_factory=list)
    _ill_before: list[str] = field(default_factory=list)
    _seen: list[str] = field(default_factory=list)

    def failed(self, reason: str) -> None:
        """The promise is broken."""
        self._failed.append(reason)

    def unproven(self, reason: str) -> None:
        """Something could not be seen."""
        self._unproven.append(reason)

    def ill_before(self, reason: str) -> None:
        """It was not well before the fault."""
        self._ill_before.append(reason)

    def seen(self, line: str) -> None:
        """A line of evidence that proves nothing by itself."""
        self._seen.append(line)

    def before(self, observed: Observed[T] | None, what: str) -> T | None:
        """A fact from before the fault; one that was not read makes the target unproven."""
        value = _value(observed)
        if value is None:
            self._ill_before.append(_unread(observed, f"{what} before the fault"))
        return value

    def after(self, observed: Observed[T] | None, what: str) -> T | None:
        """A fact from afterwards; one that was not read makes the target unproven."""
        value = _value(observed)
        if value is None:
            self._unproven.append(_unread(observed, what))
        return value

    def judgement(self, good: str) -> Judgement:
        """What all findings add up to; ``good`` is the reason of a pass."""
        if self._ill_before:
            verdict, reasons = Verdict.UNPROVEN, self._ill_before
        elif self._failed:
            verdict, reasons = Verdict.FAIL, self._failed
        elif self._unproven:
            verdict, reasons = Verdict.UNPROVEN, self._unproven
        else:
            verdict, reasons = Verdict.PASS, [good]
        found = [*self._ill_before, *self._failed, *self._unproven]
        return Judgement(
            name=self.name,
            target=self.target,
            verdict=verdict,
            reason=_sentence(reasons),
            evidence=(*found, *self._seen),
        )


def nothing_to_judge(name: str, target: str, reason: str) -> tuple[Judgement, ...]:
    """No targets prove nothing."""
    verdict = worst(())
    return (Judgement(name=name, target=target, verdict=verdict, reason=reason),)


def _value(observed: Observed[T] | None) -> T | None:
    return observed.value if observed is not None and observed.known else None


def _unread(observed: Observed[T] | None, what: str) -> str:
    if observed is None:
        return f"{what} not seen: nobody looked"
    return f"{what} not seen: {observed.error or 'no value'} ({observed.source})"


def _sentence(reasons: Sequence[str]) -> str:
    text = "; ".join(reasons[:MOST_REASONS])
    more = len(reasons) - MOST_REASONS
    return f"{text}; and {more} more" if more > 0 else text
