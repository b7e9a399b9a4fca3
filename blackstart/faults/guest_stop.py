"""Stop a guest hard, as pulling its plug; with ``wipe`` its containers' records are lost as well.

After a hard ``qm stop`` an owner's Docker knew no container any more, while all data was
there: nothing starts by itself then, whatever the restart policy says. Only a site that applies
its definitions again at boot heals from that. So the drill waits for the *site* to redeploy;
that it did not is the verdict, with the command, and only then ``recover`` redeploys for it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from blackstart.drivers.base import Site
from blackstart.drivers.waiting import wait_for
from blackstart.errors import DriverError, Rejected
from blackstart.faults.base import Plan, Proof, by_hand
from blackstart.faults.on_host import HostFault
from blackstart.faults.undoing import Undoing, run_all
from blackstart.model.changes import Change, StopGuest
from blackstart.model.inventory import FaultName
from blackstart.model.undo import Redeploy

BITE_S = 30.0
WIPE_TIMEOUT_S = 60.0
REDEPLOY_S = 120.0
"""Seconds after the guest's start in which the site must have redeployed; asked in each of
the drill's attempts to prove the revert."""
LABEL = "com.docker.compose.project.working_dir"


@dataclass(frozen=True)
class GuestStop(HostFault):
    """Stop ``target``; ``wipe`` names a Compose project of the inventory that runs on it."""

    target: str
    wipe: str | None = None
    name: FaultName = "guest-stop"

    def host(self, site: Site) -> str:
        """Its hypervisor, which also holds the dead-man."""
        return site.inventory.guests[self.target].node

    def changes(self, site: Site) -> tuple[Change, ...]:
        """One hard stop, of a guest that runs where the inventory says."""
        guest = site.inventory.guests[self.target]
        return (StopGuest(vmid=guest.vmid, tool="qm" if guest.kind == "qemu" else "pct"),)

    def blast_radius(self, site: Site) -> tuple[str, ...]:
        """The guest alone."""
        return (self.target,)

    def plan(self, site: Site) -> Plan:
        """Ends with the guest's start; a wiped project must then be redeployed by the site.

        Raises ``Rejected`` when the project is not one of this guest's, or does not run now.
        """
        plan = super().plan(site)
        if self.wipe is None:
            return plan
        again = self._redeploy(site)
        if not site.runner.run(self.target, again.proof(), timeout_s=WIPE_TIMEOUT_S).ok:
            raise Rejected(f"{self.target}: {self.wipe} does not run now ({again.proof()})")
        return replace(
            plan,
            undo=(*plan.undo, again),
            rescue=(*plan.rescue, by_hand(site.inventory, self.target, again.command())),
            parameters={**plan.parameters, "wipe": self.wipe, "redeployed_by": "the site itself"},
        )

    def _redeploy(self, site: Site) -> Redeploy:
        project = site.inventory.compose.get(self.wipe or "")
        if project is None or project.guest != self.target:
            raise Rejected(f"{self.target} runs no Compose project {self.wipe}")
        return Redeploy(guest=self.target, directory=project.directory, services=project.services)

    def inject(self, site: Site, plan: Plan) -> None:
        """Lose the records first, then stop: both only while the dead-man guards it.

        Raises ``DriverError`` when a command failed or the dead-man has fired.
        """
        if self.wipe is not None:
            if plan.deadman is None:
                raise Rejected(f"{self.name} on {self.target}: no dead-man guards it")
            site.deadmen.renew(plan.deadman)
            command = wiping(self._redeploy(site).directory)
            result = site.runner.run(self.target, command, timeout_s=WIPE_TIMEOUT_S)
            if not result.ok:
                said = result.stderr.strip() or f"exit {result.exit_code}"
                raise Rejected(f"{self.target}: {self.wipe} could not be wiped: {said}")
        super().inject(site, plan)

    def prove_active(self, site: Site, plan: Plan) -> Proof:
        """The API shows it stopped, within 30 s."""
        last = "no answer"

        def look() -> Proof | None:
            nonlocal last
            try:
                last = site.guests.status(self.target)
            except DriverError as error:
                last = str(error)
                return None
            return Proof(True, f"{self.target} is stopped") if last == "stopped" else None

        proof = wait_for(site.clock, look, bound_s=BITE_S)
        return proof or Proof(False, f"{self.target} after {BITE_S:.0f} s: {last}")

    def revert(self, site: Site, plan: Plan) -> None:
        """Start the guest. Never redeploy: that the site does not must be seen."""
        ours = [action for action in plan.undo if not isinstance(action, Redeploy)]
        run_all(site, plan, ours)

    def prove_reverted(self, site: Site, plan: Plan) -> Proof:
        """The guest runs, and the site has redeployed what was wiped, within 60 s and 120 s."""
        lost = [action for action in plan.undo if isinstance(action, Redeploy)]
        ours = tuple(action for action in plan.undo if not isinstance(action, Redeploy))
        proof = Undoing.prove_reverted(self, site, replace(plan, undo=ours))
        if not proof.holds:
            return proof
        for action in lost:
            if not self._redeployed(site, plan, action):
                by_person = by_hand(site.inventory, self.target, action.command())
                return Proof(
                    False,
                    f"{self.target} runs, and within {REDEPLOY_S:.0f} s nothing on it redeployed "
                    f"{self.wipe}; put it right with: {by_person}; or: blackstart recover",
                )
        healed = f"; the site itself redeployed {self.wipe}" if lost else ""
        return Proof(True, f"{proof.detail}{healed}")

    def _redeployed(self, site: Site, plan: Plan, action: Redeploy) -> bool:
        def look() -> bool | None:
            return self._holds(site, plan, action) or None

        return wait_for(site.clock, look, bound_s=REDEPLOY_S) is not None


def wiping(directory: str) -> str:
    """Removes every container record of the Compose project, volumes and images kept.

    Exits with 0 when none is left.
    """
    found = f"docker ps --all --quiet --filter label={LABEL}={directory}"
    return f'ids=$({found}) && docker rm --force $ids >/dev/null && [ -z "$({found})" ]'


def stop_guest(guest: str, wipe: str | None = None) -> GuestStop:
    """Stop a guest hard; with ``wipe``, that Compose project's container records are lost too."""
    return GuestStop(guest, wipe)
