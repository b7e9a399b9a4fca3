"""One look at a site for its boot graph: facts, hosts' own boots, the cluster's definitions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from blackstart.drivers.base import Site
from blackstart.drivers.bounded import gather
from blackstart.errors import DriverError, Unproven
from blackstart.graph.inputs import BootInputs, boot_inputs

LOOK_S = 90.0
"""Longer than each look bounds itself to: this is for what does not keep its bound."""


def look(site: Site) -> BootInputs:
    """Everything that the graph is built from, asked side by side.

    Raises ``Unproven`` when there was no answer at all; what else is missing says so in it.
    """
    calls: dict[str, Callable[[], Any]] = {"facts": site.facts, "boots": site.host_boots}
    if site.readiness is not None:
        calls["readiness"] = site.readiness
    found: dict[str, Any] = dict(gather(calls, workers=len(calls), timeout_s=LOOK_S))
    for answer in found.values():
        if isinstance(answer, DriverError):
            raise Unproven(f"the site could not be looked at: {answer}")
    proxmox = found["readiness"].proxmox if "readiness" in found else None
    return boot_inputs(site.inventory, found["facts"], found["boots"], proxmox)
