"""Reboot a guest through its hypervisor: does it come back by itself, whole and in time?

One call, and the hypervisor does the rest, whatever becomes of the harness. The proof is the
guest's uptime as its hypervisor counts it: a reboot that was accepted and did nothing leaves
its start where it was.
"""

from __future__ import annotations

from dataclasses import dataclass

from blackstart.drivers.base import Site
from blackstart.drivers.waiting import wait_for
from blackstart.errors import DriverError, Rejected
from blackstart.faults.base import Plan, Proof, Reversibility, by_hand
from blackstart.model.inventory import FaultName

REBOOT_S = 180.0
"""For the task: a guest may take as long to shut down as ``DefaultTimeoutStopSec`` twice."""
LATER_S = 3.0
"""A start that is so much later is another one: uptimes are whole seconds, and cross a wire."""


@dataclass(frozen=True, slots=True)
class GuestReboot:
    """Reboot the guest ``target``."""

    target: str
    name: FaultName = "guest-reboot"

    def plan(self, site: Site) -> Plan:
        """Remember when it was started. Raises ``Rejected`` when it does not run."""
        guest = site.inventory.guests[self.target]
        vitals = site.guests.vitals(self.target)
        if not vitals.running:
            raise Rejected(f"{self.target} does not run, so it cannot be rebooted")
        tool = "qm" if guest.kind == "qemu" else "pct"
        return Plan(
            fault=self.name,
            target=self.target,
            reversibility=Reversibility.SELF_HEALING,
            blast_radius=(self.target,),
            rescue=(
                f"# if {self.target} stays off, start it:",
                by_hand(site.inventory, guest.node, f"{tool} start {guest.vmid}"),
            ),
            parameters={"budget_s": guest.budget},
            prior={"started_at": site.clock.monotonic() - vitals.uptime_s},
        )

    def inject(self, site: Site, plan: Plan) -> None:
        """One call, and the wait for its task. Raises ``DriverError`` when that failed."""
        site.guests.reboot(self.target, timeout_s=REBOOT_S)

    def prove_active(self, site: Site, plan: Plan) -> Proof:
        """It runs and was started later than before, within its budget (seconds).

        One that was shut down and stays off has been hit as well: that is the site's failure.
        """
        before = float(plan.prior["started_at"])
        bound_s = float(plan.parameters["budget_s"])
        last, off = "no answer", False

        def look() -> Proof | None:
            nonlocal last, off
            try:
                vitals = site.guests.vitals(self.target)
            except DriverError as error:
                last, off = str(error), False
                return None
            off = not vitals.running
            if off:
                return None
            later_s = site.clock.monotonic() - vitals.uptime_s - before
            last = f"it has run for {vitals.uptime_s:.0f} s, since before the reboot"
            if later_s < LATER_S:
                return None
            return Proof(True, f"{self.target} was started {vitals.uptime_s:.0f} s ago")

        proof = wait_for(site.clock, look, bound_s=bound_s)
        if proof is None and off:
            return Proof(True, f"{self.target} was shut down, and is off {bound_s:.0f} s later")
        return proof or Proof(False, f"{self.target} shows no new start in {bound_s:.0f} s: {last}")

    def revert(self, site: Site, plan: Plan) -> None:
        """Nothing to undo: it comes back by itself or it has failed, which must be seen."""

    def prove_reverted(self, site: Site, plan: Plan) -> Proof:
        """It runs and has booted, within its budget (seconds)."""
        bound_s = float(plan.parameters["budget_s"])
        last = "no answer"

        def look() -> Proof | None:
            nonlocal last
            seen = site.guests.observe()[self.target]
            last = f"it is {seen.status.value or seen.status.error}"
            if seen.status.value != "running" or seen.booted.value is not True:
                last += f", booted: {seen.booted.value or seen.booted.error}"
                return None
            return Proof(True, f"{self.target} runs and has booted")

        proof = wait_for(site.clock, look, bound_s=bound_s)
        return proof or Proof(False, f"{self.target} is not back after {bound_s:.0f} s: {last}")


def reboot_guest(guest: str) -> GuestReboot:
    """A reboot of a guest, in order, by its hypervisor."""
    return GuestReboot(guest)
