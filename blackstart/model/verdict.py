"""Three values, and how they add up.

Missing data is never a pass: Jepsen's checkers taught the third value, and a
monitoring gap in every one of the seed outages taught why it matters.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from pydantic import BaseModel, ConfigDict


class Verdict(StrEnum):
    """``pass``, ``fail`` or ``unproven``."""

    PASS = "pass"  # noqa: S105 - not a password
    FAIL = "fail"
    UNPROVEN = "unproven"

    @property
    def exit_code(self) -> int:
        """0 good, 1 fail, 3 unproven: the same everywhere in the product."""
        return {Verdict.PASS: 0, Verdict.FAIL: 1, Verdict.UNPROVEN: 3}[self]


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """Fail outranks unproven outranks pass; nothing at all is unproven."""
    seen = set(verdicts)
    if Verdict.FAIL in seen:
        return Verdict.FAIL
    if seen == {Verdict.PASS}:
        return Verdict.PASS
    return Verdict.UNPROVEN


class Judgement(BaseModel):
    """What one invariant or check says of one target, with its evidence."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    target: str
    verdict: Verdict
    reason: str
    evidence: tuple[str, ...] = ()
