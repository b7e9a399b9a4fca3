"""After the fault: facts once they have settled, and what every promise says of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from blackstart.drill_log import DrillLog
from blackstart.drivers.base import Site
from blackstart.invariants.base import Evidence, Invariant
from blackstart.invariants.never_down import never_all_down
from blackstart.invariants.nobody_killed import NobodyKilled
from blackstart.invariants.nothing_else_changed import changes, nothing_else_changed
from blackstart.model.differences import compare, tolerated
from blackstart.model.facts import SiteFacts
from blackstart.model.verdict import Judgement, Verdict
from blackstart.model.virtual_addresses import without_virtual

SETTLE_POLL_S = 2.0


@dataclass(frozen=True, slots=True)
class Judging:
    """Judges one drill."""

    site: Site
    log: DrillLog

    def settled_facts(self, before: SiteFacts) -> SiteFacts:
        """Facts once what converges has converged, or the settle time is over."""
        clock, settle = self.site.clock, self.site.inventory.settle
        deadline = clock.monotonic() + settle
        own = partial(without_virtual, self.site.inventory)
        while True:
            after = self.site.facts()
            found = compare(own(before), own(after))
            moving = [item for item in found if item.klass == "converging"]
            if not moving or clock.monotonic() >= deadline:
                return after
            clock.sleep(SETTLE_POLL_S)

    def judge(self, invariants: Sequence[Invariant], evidence: Evidence) -> None:
        """Every promise, what must never go down, and whether anything undeclared changed."""
        if not invariants:
            self.log.unproven("invariants", evidence.target, "the scenario declares no invariant")
        today = datetime.fromtimestamp(self.site.clock.wall(), UTC).date()
        found = changes(evidence)
        noted = tolerated(found, evidence.inventory.tolerate, today)
        self.log.journal.write(
            "differences", differences=[item.model_dump(mode="json") for item in noted]
        )
        for invariant in (*invariants, never_all_down(), nothing_else_changed(today)):
            for judgement in invariant.judge(evidence):
                self._told(judgement)

    def judge_harm(self, invariants: Sequence[Invariant], evidence: Evidence) -> None:
        """Only what was surely broken for good, for a drill that proves nothing of the rest.

        Seen on the rack: a hypervisor without memory could not be told that the drill lives, its
        dead-man undid the fault, and the drill said nothing but that; meanwhile its kernel had
        killed a guest, every lease had ended, and no name resolved for two minutes.
        """
        lasting: list[Invariant] = [it for it in invariants if isinstance(it, NobodyKilled)]
        for invariant in (*lasting, never_all_down()):
            for judgement in invariant.judge(evidence):
                if judgement.verdict is Verdict.FAIL:
                    self._told(judgement)

    def _told(self, judgement: Judgement) -> None:
        self.log.judged(judgement)
        self.log.note(
            f"{judgement.verdict} {judgement.name} [{judgement.target}] {judgement.reason}"
        )
