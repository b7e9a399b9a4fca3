"""What every site owes its people after a fault, as one list for scenarios."""

from __future__ import annotations

from blackstart.invariants.addresses_stable import addresses_stable
from blackstart.invariants.base import Invariant
from blackstart.invariants.containers_run import containers_run
from blackstart.invariants.guests_boot import guests_boot
from blackstart.invariants.names_resolve import names_resolve
from blackstart.invariants.services_answer import services_answer


def everything_well() -> tuple[Invariant, ...]:
    """Every guest, name, container, address and service as before, each within its budget."""
    return (
        guests_boot(),
        names_resolve(),
        containers_run(),
        addresses_stable(),
        services_answer(),
    )
