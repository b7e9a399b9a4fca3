"""The guard: ordered refusals, each with a reason a person understands.

Fail-closed: what is not known refuses. The same code answers ``--plan``, so that a
dry run and a real one cannot differ (Netflix chaosmonkey, ``term/term.go``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from blackstart.errors import DriverError, UsageError
from blackstart.model.document import did_you_mean
from blackstart.safety.guards.base import Answer, Guard, Pass, Request
from blackstart.safety.guards.cluster import NotFenced, QuorumSurvives, SurvivorsHaveMemory
from blackstart.safety.guards.condition import (
    GuestsUnlocked,
    Healthy,
    NeverDownSurvives,
    NoDrift,
    NoLeftovers,
)
from blackstart.safety.guards.leave import Armed, Consented, NotHalted, NothingOpen, WithinWindow
from blackstart.safety.guards.path import OutOfBandProven, OwnPathSurvives
from blackstart.safety.guards.upkeep import EtcPveBackedUp, NothingAtWork, OnMains, StorageSound
from blackstart.safety.guards.witness import Witnessed

__all__ = ["GUARDS", "Answer", "Guard", "Pass", "Request", "answers", "check_waivers", "names"]

GUARDS: tuple[Guard, ...] = (
    Armed(),
    Consented(),
    NotHalted(),
    NothingOpen(),
    Healthy(),
    QuorumSurvives(),
    SurvivorsHaveMemory(),
    EtcPveBackedUp(),
    NothingAtWork(),
    StorageSound(),
    NotFenced(),
    OnMains(),
    GuestsUnlocked(),
    NoLeftovers(),
    NoDrift(),
    OutOfBandProven(),
    Witnessed(),
    WithinWindow(),
    OwnPathSurvives(),
    NeverDownSurvives(),
)
NEVER_WAIVED = frozenset({"armed", "consent", "not-halted", "nothing-open", "lease", "witness"})
"""Leave to break things, what is broken already, and who puts back what nobody else can: no
reason overrules these."""


def names() -> tuple[str, ...]:
    """Names of all guards, in their order."""
    return tuple(guard.name for guard in GUARDS)


def check_waivers(waive: Mapping[str, str]) -> None:
    """Raises ``UsageError`` for a guard that is not, one that nobody may waive, or no reason."""
    waivable = [name for name in names() if name not in NEVER_WAIVED]
    for name, reason in waive.items():
        if name in NEVER_WAIVED:
            raise UsageError(f"the guard '{name}' cannot be waived; do what it asks for")
        if name not in waivable:
            raise UsageError(f"there is no guard '{name}' to waive; {did_you_mean(name, waivable)}")
        if not reason.strip():
            raise UsageError(f"the guard '{name}' is waived without a reason; write {name}=REASON")


def answers(request: Request, guards: Iterable[Guard] = GUARDS) -> tuple[Answer, ...]:
    """What every guard says, in order; one that breaks refuses.

    Raises ``UsageError`` for a waiver that cannot be.
    """
    waive = request.terms.waive
    check_waivers(waive)
    given: list[Answer] = []
    for guard in guards:
        try:
            said = guard.refuse(request)
        except DriverError as error:
            said = f"could not be answered: {error}"
        refusal = said if isinstance(said, str) else None
        because = said.because if isinstance(said, Pass) else ""
        given.append(Answer(guard.name, refusal, waive.get(guard.name), because))
    return tuple(given)
