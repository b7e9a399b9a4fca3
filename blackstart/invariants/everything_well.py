"""What a site owes its people after a fault: everything that its inventory declares.

A promise about nothing proves nothing, so only those are made for which something is
declared; a scenario that names a promise itself insists on it.
"""

from __future__ import annotations

from blackstart.invariants.addresses_stable import addresses_stable
from blackstart.invariants.base import Invariant
from blackstart.invariants.containers_run import containers_run
from blackstart.invariants.dhcp_answers import dhcp_answers
from blackstart.invariants.guests_boot import guests_boot
from blackstart.invariants.mounts_answer import mounts_answer
from blackstart.invariants.names_resolve import names_resolve
from blackstart.invariants.nodes_ready import nodes_ready
from blackstart.invariants.services_answer import services_answer
from blackstart.invariants.virtual_addresses_held import virtual_addresses_held
from blackstart.model.inventory import Inventory


def everything_well(inventory: Inventory) -> tuple[Invariant, ...]:
    """All that the inventory declares, as before."""
    declared: tuple[tuple[object, Invariant], ...] = (
        (any(guest.running for guest in inventory.guests.values()), guests_boot()),
        (inventory.dns, names_resolve()),
        (inventory.dhcp, dhcp_answers()),
        (inventory.mounts, mounts_answer()),
        (inventory.compose, containers_run()),
        (inventory.guests, addresses_stable()),
        (
            any(it.held_by for it in inventory.virtual_addresses.values()),
            virtual_addresses_held(),
        ),
        (inventory.services, services_answer()),
        (inventory.k3s, nodes_ready()),
    )
    return tuple(promise for something, promise in declared if something)
