"""Putting back what a dead harness left: every open fault of a site, newest first.

The journal holds the plan; the same unwinding as in a drill leads back from it, proves it
and takes the dead-man away. Safe to repeat, and safe while a dead-man is at work.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from blackstart.drivers.base import Site
from blackstart.drivers.bounded import gather
from blackstart.errors import DriverError, JournalError
from blackstart.faults.base import Plan, Proof
from blackstart.faults.known import reverter_of
from blackstart.safety.journal import Journal
from blackstart.safety.lease import hold
from blackstart.safety.open_faults import PUT_BACK, OpenFault, survey
from blackstart.unwinding import Unwinding

WORKERS = 16
TRACES_S = 25.0
"""A host is asked for 20 s, and the driver's own bound comes a little later."""


@dataclass(frozen=True, slots=True)
class Recovered:
    """One fault that was open, and whether it is put back now."""

    fault: OpenFault
    proof: Proof


@dataclass(frozen=True, slots=True)
class Recovering:
    """``drills`` holds the journals, ``leases`` this machine's leases."""

    site: Site
    drills: Path
    leases: Path
    note: Callable[[str], None]

    def run(self) -> tuple[Recovered, ...]:
        """Revert and prove everything that is open; one that fails never stops the next.

        So a journal that cannot be trusted is passed over: ``survey`` names it. Raises
        ``Refusal`` while a drill of this site runs.
        """
        inventory, clock = self.site.inventory, self.site.clock
        with hold(inventory.site, "recover", clock, self.leases):
            waiting = survey(self.drills, inventory.site).open
            return tuple(Recovered(fault, self._one(fault)) for fault in waiting)

    def _one(self, fault: OpenFault) -> Proof:
        self.note(f"putting back {fault.plan.fault} on {fault.plan.target}")
        try:
            with closing(Journal(fault.journal.parent, self.site.clock)) as journal:
                journal.write(PUT_BACK, fault=fault.plan.fault, target=fault.plan.target)
                proof = self._unwound(fault.plan, journal)
                journal.write("recover.ended", holds=proof.holds, detail=proof.detail)
        except JournalError as error:  # what nobody can write down is not closed
            return Proof(False, str(error))
        return proof

    def _unwound(self, plan: Plan, journal: Journal) -> Proof:
        try:
            return Unwinding(self.site, journal, self.note).revert(plan, reverter_of(plan))
        except (LookupError, TypeError, ValueError) as error:  # another version's plan
            return Proof(False, f"its plan lacks what its undo needs ({error!r})")

    def strays(self) -> dict[str, tuple[str, ...]]:
        """Traces of dead-men by host, whatever the journals say; a host that cannot be asked
        says so in its place. Where nobody logs in, nobody has armed one.

        All are asked side by side, 16 at once and 25 s for these: after a power loss many hang.
        """
        inventory = self.site.inventory
        names = (*inventory.nodes, *inventory.guests)
        hosts = [name for name in names if inventory.ssh_of(name) is not None]
        answers = gather(
            {host: partial(self.site.deadmen.traces, host) for host in hosts},
            workers=WORKERS,
            timeout_s=TRACES_S * math.ceil(len(hosts) / WORKERS),
        )
        found = {
            host: (f"cannot be looked at: {left}",) if isinstance(left, DriverError) else left
            for host, left in answers.items()
        }
        return {host: left for host, left in found.items() if left}
