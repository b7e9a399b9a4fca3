"""What an invariant is given, and what it gives.

A checker is a pure function of a history with three values, as Jepsen's are: it reads
nothing and waits for nothing, so that it can be run again on an old drill's files.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from blackstart.model.facts import SiteFacts
from blackstart.model.inventory import FaultName, Inventory
from blackstart.model.samples import Series
from blackstart.model.verdict import Judgement


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything that is known of one drill when it is judged.

    ``began_at`` (injection) and ``ended_at`` (end of the wait for recovery) are seconds
    on the drill's monotonic clock, the same as in ``during``. ``hold_s`` is how long
    good must last to count as recovered, ``withheld_s`` for how long the fault was held on
    purpose, which no budget counts; ``later_s`` is more of that for single subjects.
    ``blast_radius`` names what was expected to fall.
    """

    inventory: Inventory
    fault: FaultName
    target: str
    blast_radius: tuple[str, ...]
    before: SiteFacts
    during: tuple[Series, ...]
    after: SiteFacts
    began_at: float
    ended_at: float
    hold_s: float
    withheld_s: float = 0.0
    later_s: Mapping[str, float] = field(default_factory=dict)


class Invariant(Protocol):
    """A promise. No targets, missing facts or no samples are ``unproven``, never a pass."""

    @property
    def name(self) -> str:
        """The name shown in terminal and report."""

    def judge(self, evidence: Evidence) -> tuple[Judgement, ...]:
        """One judgement a target; never empty."""
