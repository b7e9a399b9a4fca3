"""Start a guest's DHCP client anew: does it get its lease, and at its old address?

A server that offers has given nothing yet, and one that lost its host entries gives another
address (outage of July 2025: three k3s nodes). Only a client that really asks shows it. The
restart is one job of the guest's own systemd, so that it is done although the way in is cut.
The client may come back at another address: that is no broken fault but what was to be seen,
and the hypervisor's API sees it; ``addresses-stable`` judges it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from blackstart.drivers.base import Site
from blackstart.drivers.waiting import wait_for
from blackstart.errors import DriverError, Rejected, TimedOut, Unreachable
from blackstart.faults.base import Plan, Proof, Reversibility, by_hand
from blackstart.faults.lease_look import LOOK, Lease, look_at_lease, read_lease
from blackstart.faults.service import first_active, invocation
from blackstart.model.changes import RestartUnit
from blackstart.model.inventory import FaultName, Inventory
from blackstart.model.subjects import subject

DHCP_CLIENT = (
    *("guest-network.service", "systemd-networkd.service", "dhcpcd.service"),
    *("NetworkManager.service", "networking.service"),
)
"""Units whose restart makes the DHCP client ask again; ``networking`` (ifupdown(8)) comes last,
because it also runs where another one has the card."""
RESTART_TIMEOUT_S = 20.0
LEASE_S = 120.0
"""For a lease, where no budget of a DHCP server is declared."""
MOVED_S = 2.0
"""Lifetimes are whole seconds: one that ends so much later was given anew."""


@dataclass
class LeaseRenewal:
    """Restart the DHCP client of the guest ``target``."""

    target: str
    name: FaultName = "lease-renewal"
    _held: Lease | None = field(default=None, init=False, repr=False)
    """What the guest held when its client was restarted: it may have renewed after the plan."""

    def plan(self, site: Site) -> Plan:
        """Remember the client's invocation, its lease and the guest's addresses.

        Raises ``Rejected`` when no client is active, or its address is none of DHCP.
        """
        guest, inventory = site.inventory.guests[self.target], site.inventory
        if not guest.ssh:
            raise Rejected(f"{self.target}: its DHCP client is out of reach; it has no ssh: true")
        unit = first_active(site, self.target, DHCP_CLIENT)
        held = look_at_lease(site, self.target)
        if held is None:
            raise Rejected(f"{self.target}: no address of {guest.mac} ends: DHCP gave it none")
        servers = inventory.dhcp
        budgets = [server.budget for server in servers.values()]
        return Plan(
            fault=self.name,
            target=self.target,
            reversibility=Reversibility.SELF_HEALING,
            blast_radius=(self.target,),
            rescue=(
                f"# if {self.target} stays away, restart {unit} at its console",
                by_hand(inventory, self.target, RestartUnit(unit=unit).command()),
            ),
            parameters={"unit": unit, "bound_s": max(budgets, default=LEASE_S)},
            prior={
                "invocation": invocation(site, self.target, unit),
                "address": held.address,
                "ends_at": held.ends_at,
            },
            needs=tuple(subject("dhcp", name) for name in servers),
        )

    def inject(self, site: Site, plan: Plan) -> None:
        """Look once more, and restart; the connection may break under it.

        Raises ``Rejected`` when the guest said no.
        """
        command = f"{LOOK} && {RestartUnit(unit=plan.parameters['unit']).command()}"
        try:
            result = site.runner.run(self.target, command, timeout_s=RESTART_TIMEOUT_S)
        except (Unreachable, TimedOut):
            return
        if not result.ok:
            raise Rejected(f"{self.target}: its DHCP client: {result.stderr.strip()}")
        self._held = read_lease(site, self.target, result.stdout)

    def prove_active(self, site: Site, plan: Plan) -> Proof:
        """Another invocation and a lease that ends later; or, seen from outside, other addresses.

        A guest that asks and gets none within the bound has been hit as well.
        """
        bound_s = float(plan.parameters["bound_s"])
        within, outside = Proof(False, "no answer"), None

        def look() -> Proof | None:
            nonlocal within, outside
            try:
                within, outside = self._from_within(site, plan), None
            except DriverError as error:
                site.runner.forget(self.target)
                within, outside = Proof(False, str(error)), self._from_outside(site, plan)
            return next((it for it in (within, outside) if it is not None and it.holds), None)

        proof = wait_for(site.clock, look, bound_s=bound_s)
        if proof is None and outside is not None:
            return Proof(True, f"{outside.detail} after {bound_s:.0f} s")
        said = f"{self.target}: no new lease in {bound_s:.0f} s: {within.detail}"
        return proof or Proof(False, said)

    def _from_within(self, site: Site, plan: Plan) -> Proof:
        """What the guest itself shows. Raises ``DriverError``."""
        unit, before = str(plan.parameters["unit"]), str(plan.prior["invocation"])
        if invocation(site, self.target, unit) == before:
            return Proof(False, f"{unit} still has the invocation {before}")
        held = look_at_lease(site, self.target)
        if held is None:
            return Proof(False, f"{unit} was started anew and has no lease yet")
        ended_at = self._held.ends_at if self._held else float(plan.prior["ends_at"])
        if held.address == plan.prior["address"] and held.ends_at < ended_at + MOVED_S:
            return Proof(False, f"{unit} was started anew and keeps its old lease")
        said = f"{self.target} renewed: {held.address} for {held.left_s:.0f} s"
        return Proof(True, f"{said} ({unit})")

    def _from_outside(self, site: Site, plan: Plan) -> Proof | None:
        """What its hypervisor sees: another address proves it, none does when time is over."""
        seen = site.guests.observe()[self.target].interfaces
        if seen.value is None:
            return None
        addresses = _of_card(seen.value, site.inventory.guests[self.target].mac)
        said = f"{self.target} asked anew and has {', '.join(addresses) or 'no address'}"
        if plan.prior["address"] in addresses:
            return None
        return Proof(bool(addresses), f"{said} ({seen.source})")

    def revert(self, site: Site, plan: Plan) -> None:
        """Nothing to undo: the client gets a lease or it has failed, which must be seen."""

    def prove_reverted(self, site: Site, plan: Plan) -> Proof:
        """Its client runs and holds a lease, or its hypervisor sees it with an address."""
        bound_s = float(plan.parameters["bound_s"])
        last = "no answer"

        def look() -> Proof | None:
            nonlocal last
            try:
                held = look_at_lease(site, self.target)
                if first_active(site, self.target, (plan.parameters["unit"],)) and held:
                    return Proof(True, f"{self.target} holds {held.address}")
                last = "it has no lease"
                return None
            except (Unreachable, TimedOut) as error:  # at another address nobody logs in
                site.runner.forget(self.target)
                last = str(error)
            except DriverError as error:
                last = str(error)
                return None
            seen = site.guests.observe()[self.target].interfaces
            addresses = _of_card(seen.value or {}, site.inventory.guests[self.target].mac)
            if not addresses:
                return None
            return Proof(True, f"{self.target} has {', '.join(addresses)} ({seen.source})")

        proof = wait_for(site.clock, look, bound_s=bound_s)
        return proof or Proof(False, f"{self.target} has no address in {bound_s:.0f} s: {last}")


def _of_card(interfaces: dict[str, Any], mac: str) -> tuple[str, ...]:
    found = [item for key, items in interfaces.items() if key.lower() == mac for item in items]
    return tuple(str(address).partition("/")[0] for address in found)


def renew_lease(guest: str) -> LeaseRenewal:
    """Start a guest's DHCP client anew."""
    return LeaseRenewal(guest)


def everyone_renews(inventory: Inventory) -> tuple[LeaseRenewal, ...]:
    """A renewal for every guest that is meant to run and has opted in to it."""
    return tuple(
        renew_lease(name)
        for name, guest in inventory.guests.items()
        if guest.running and "lease-renewal" in guest.may_break
    )
