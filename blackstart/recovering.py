"""Putting back what a dead harness left: every open fault of a site, newest first.

The journal holds the plan; the same unwinding as in a drill leads back from it, proves it
and takes the dead-man away. Safe to repeat, and safe while a dead-man is at work.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from blackstart.drivers.base import Site
from blackstart.errors import DriverError
from blackstart.faults.base import Proof
from blackstart.faults.known import reverter_of
from blackstart.safety.journal import Journal
from blackstart.safety.lease import hold
from blackstart.safety.open_faults import PUT_BACK, OpenFault, open_faults
from blackstart.unwinding import Unwinding


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

        Raises ``Refusal`` while a drill of this site runs, ``JournalError`` when a journal
        cannot be trusted.
        """
        inventory, clock = self.site.inventory, self.site.clock
        with hold(inventory.site, "recover", clock, self.leases):
            waiting = open_faults(self.drills, inventory.site)
            return tuple(Recovered(fault, self._one(fault)) for fault in waiting)

    def _one(self, fault: OpenFault) -> Proof:
        self.note(f"putting back {fault.plan.fault} on {fault.plan.target}")
        with closing(Journal(fault.journal.parent, self.site.clock)) as journal:
            journal.write(PUT_BACK, fault=fault.plan.fault, target=fault.plan.target)
            proof = Unwinding(self.site, journal, self.note).revert(
                fault.plan, reverter_of(fault.plan)
            )
            journal.write("recover.ended", holds=proof.holds, detail=proof.detail)
        return proof

    def strays(self) -> dict[str, tuple[str, ...]]:
        """Traces of dead-men by host, whatever the journals say; a host that cannot be asked
        says so in its place. Where nobody logs in, nobody has armed one.
        """
        found: dict[str, tuple[str, ...]] = {}
        inventory = self.site.inventory
        names = (*inventory.nodes, *inventory.guests)
        for host in (name for name in names if inventory.ssh_of(name) is not None):
            try:
                left = self.site.deadmen.traces(host)
            except DriverError as error:
                left = (f"cannot be looked at: {error}",)
            if left:
                found[host] = left
        return found
