"""Whether the DHCP servers give leases, where their inventory allows it to be tried."""

from __future__ import annotations

from blackstart.drivers.base import LeaseAttempt
from blackstart.model.dhcp_facts import LeaseTrial
from blackstart.model.inventory import Inventory
from blackstart.model.observed import Observed


def try_leases(inventory: Inventory, client: LeaseAttempt) -> dict[str, Observed[LeaseTrial]]:
    """One lease from each server with ``lease: true``, by its name in the inventory.

    One after the other: it is one client with one MAC, and two servers of a wire would each
    take the other's lease for an answer to them.
    """
    return {
        name: client.attempt(server.interface, server.address)
        for name, server in inventory.dhcp.items()
        if server.lease
    }
