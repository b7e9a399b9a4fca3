"""One look at a site for its boot graph: facts, hosts' own boots, the cluster's definitions."""

from __future__ import annotations

from blackstart.drivers.base import Site
from blackstart.errors import DriverError, Unproven
from blackstart.graph.inputs import BootInputs, boot_inputs
from blackstart.looking import FACTS, HOSTS, READINESS, look_at_all


def look(site: Site) -> BootInputs:
    """Everything that the graph is built from.

    Raises ``Unproven`` when there was no answer at all; what else is missing says so in it.
    """
    found = look_at_all(site)
    for answer in found.values():
        if isinstance(answer, DriverError):
            raise Unproven(f"the site could not be looked at: {answer}")
    proxmox = found[READINESS].proxmox if READINESS in found else None
    return boot_inputs(site.inventory, found[FACTS], found[HOSTS], proxmox)
