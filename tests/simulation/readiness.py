"""What checks ask of a simulated site: a cluster on which all is well and nothing waits."""

from __future__ import annotations

from typing import Any

from blackstart.model.circumstances import HighAvailability
from blackstart.model.observed import Observed
from blackstart.model.proxmox_facts import GuestPlan, GuestRow, ProxmoxFacts, nothing_of
from blackstart.model.readiness import Readiness

from .snapshot import snapshot
from .world import World


def _seen(value: Any) -> Observed[Any]:
    return Observed[Any](source="simulation", value=value)


def readiness(world: World) -> Readiness:
    """Guests as the world has them, none of them managed; of all else nobody knows."""
    facts = snapshot(world)
    rows, plans = [], {}
    for name, declared in world.inventory.guests.items():
        guest = world.guests[name]
        row = GuestRow(
            kind=declared.kind,
            vmid=declared.vmid,
            node=guest.node,
            running=guest.up_at is not None,
            template=False,
        )
        rows.append(row)
        plans[row.path] = GuestPlan(config=facts.guests[name].config, pending=_seen(()))
    unknown = nothing_of("simulation", facts.taken_at, "simulation", "nobody plays this")
    quiet = HighAvailability(managed=(), maintenance=(), disarmed=False)
    known: dict[str, Any] = {
        "guests": _seen(tuple(rows)),
        "plans": plans,
        "high_availability": _seen(quiet),
    }
    proxmox: ProxmoxFacts = unknown.model_copy(update=known)
    return Readiness(proxmox=proxmox)
