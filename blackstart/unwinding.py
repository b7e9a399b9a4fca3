"""Unwinding a fault: revert, prove, disarm, close. The drill does it, and so does ``recover``.

A fault is closed only when its revert has been proven *and* no trace of its dead-man is
left; until then the next drill refuses.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from blackstart.drivers.base import Site
from blackstart.errors import BlackstartError, DriverError, Unreachable
from blackstart.faults.base import Plan, Proof, Reverter
from blackstart.safety.journal import Journal
from blackstart.safety.open_faults import CLOSED

REVERT_ATTEMPTS = 3
REVERT_PAUSE_S = 2.0


@dataclass(frozen=True, slots=True)
class Unwinding:
    """Leads back from one plan, and writes down every step."""

    site: Site
    journal: Journal
    note: Callable[[str], None]

    def revert(self, plan: Plan, reverter: Reverter) -> Proof:
        """Revert and prove, at most three times; then stand down.

        A revert that says it failed is sent again at once, three times in all, before its
        proof is waited for: every second more is a longer outage. One that found nobody is not:
        the proof waits for the host to answer, and finds it healed where its dead-man was
        faster.
        """
        named = {"fault": plan.fault, "target": plan.target}
        last = Proof(False, "the revert was not tried")
        for attempt in range(1, REVERT_ATTEMPTS + 1):
            if attempt > 1:
                self.site.clock.sleep(REVERT_PAUSE_S)
            last = self._try(plan, reverter)
            self.journal.write(
                "fault.revert-tried", attempt=attempt, holds=last.holds, detail=last.detail
            )
            if last.holds:
                break
        self.note(last.detail)
        if not last.holds:
            self.journal.write("fault.revert-unproven", **named, reason=last.detail)
            return last
        self.journal.write("fault.revert-proven", **named, proof=last.detail)
        return self.stand_down(plan, "reverted")

    def _try(self, plan: Plan, reverter: Reverter) -> Proof:
        wrong = self._send(plan, reverter)
        try:
            proof = reverter.prove_reverted(self.site, plan)
        except BlackstartError as error:
            return Proof(False, f"{error}{wrong}")
        return proof if proof.holds else Proof(False, f"{proof.detail}{wrong}")

    def _send(self, plan: Plan, reverter: Reverter) -> str:
        """What the revert said when it failed to the last; nothing when it did not."""
        wrong = ""
        for attempt in range(1, REVERT_ATTEMPTS + 1):
            if attempt > 1:
                self.site.clock.sleep(REVERT_PAUSE_S)
            try:
                reverter.revert(self.site, plan)
            except BlackstartError as error:
                wrong = f"; the revert said: {error}"
                self.journal.write("fault.revert-failed", attempt=attempt, error=str(error))
                if isinstance(error, Unreachable):
                    break
            else:
                return ""
        return wrong

    def stand_down(self, plan: Plan, how: str) -> Proof:
        """Take the dead-man away and close the fault; ``how``: ``reverted`` or ``untouched``."""
        named = {"fault": plan.fault, "target": plan.target}
        if plan.deadman is not None:
            try:
                left = self.site.deadmen.disarm(plan.deadman)
            except DriverError as error:
                left = (f"unknown, {error}",)
            self.journal.write("deadman.disarmed", id=plan.deadman.id, left=left)
            if left:
                where = plan.deadman.host
                return Proof(False, f"{where}: left of the dead-man: {', '.join(left)}")
        self.journal.write(CLOSED, **named, how=how)
        return Proof(True, f"{plan.fault} on {plan.target}: {how}, nothing is left behind")
