"""Stop a service and hold it away: who lives on without it, and who finds it again?

A stop is not undone by the unit's own ``Restart=`` (systemd.service(5)). Somebody else may undo
it: MAAS watches its DHCP server and starts it again. So that it was away is asked once more
when the time is over.
"""

from __future__ import annotations

from dataclasses import dataclass

from blackstart.drivers.base import Site
from blackstart.drivers.waiting import wait_for
from blackstart.errors import DriverError
from blackstart.faults.base import Plan, Proof
from blackstart.faults.on_host import HostFault
from blackstart.faults.service import BITE_S, first_active
from blackstart.faults.service_chain import STOPPED, look_at_chain, look_at_units
from blackstart.model.changes import Change, StopUnit
from blackstart.model.inventory import FaultName


@dataclass(frozen=True)
class ServiceStop(HostFault):
    """Stop the first of ``units`` that is active on ``target``, and whatever would start it."""

    target: str
    units: tuple[str, ...]
    name: FaultName = "service-stop"

    def changes(self, site: Site) -> tuple[Change, ...]:
        """A stop for each unit that runs and falls with it, so that each is started again.

        Undone in the other order: triggers first, for systemd starts no socket of a service
        that runs already. Raises ``Rejected`` when none of the units is active.
        """
        chain = look_at_chain(site, self.target, first_active(site, self.target, self.units))
        return tuple(StopUnit(unit=unit) for unit in (*chain.along, chain.unit, *chain.triggers))

    def blast_radius(self, site: Site) -> tuple[str, ...]:
        """What the target serves; the target itself stays up."""
        return (self.target,)

    def prove_active(self, site: Site, plan: Plan) -> Proof:
        """systemd says that every one of the units is stopped, within 90 s."""
        last = "no answer"

        def look() -> Proof | None:
            nonlocal last
            try:
                running, stopped = self._now(site, plan)
            except DriverError as error:
                site.runner.forget(self.target)
                last = str(error)
                return None
            last = f"{', '.join(running)} not stopped"
            return None if running else Proof(True, f"{self.target}: {stopped}")

        proof = wait_for(site.clock, look, bound_s=BITE_S)
        return proof or Proof(False, f"{self.target}: after {BITE_S:.0f} s: {last}")

    def prove_lasting(self, site: Site, plan: Plan) -> Proof:
        """One look: nobody has started any of the units meanwhile."""
        running, stopped = self._now(site, plan)
        if running:
            return Proof(False, f"{self.target}: somebody has started {', '.join(running)} again")
        return Proof(True, f"{self.target}: {stopped}")

    def _now(self, site: Site, plan: Plan) -> tuple[list[str], str]:
        """Units that are not stopped, and those that are, in words. Raises ``DriverError``."""
        units = [str(change["unit"]) for change in plan.parameters["changes"]]
        seen = look_at_units(site, self.target, units)
        running = [name for name, state in seen.items() if state.state not in STOPPED]
        said = ", ".join(f"{name} is {state.state}" for name, state in seen.items())
        return running, said


def stop_service(host: str, *units: str) -> ServiceStop:
    """Stop a service on a node or guest: the first of ``units`` that is active there."""
    if not units:
        raise ValueError("name at least one unit, such as named.service")
    return ServiceStop(host, units)
