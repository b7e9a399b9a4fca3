"""The vendor's pvestatd: every ten seconds the node's figures, its guests' and its stores'.

Whoever reads ``/cluster/resources`` sees these figures, so it lags by up to ten
seconds behind what ``status/current`` says.
"""

from __future__ import annotations

from typing import Any

from . import hoststats
from .errors import Died
from .guestviews import resource_stats
from .node import Node
from .runtime import STOPPED, Vitals

PERIOD_S = 10


def collect(node: Node, cpu: hoststats.CpuUsage) -> None:
    """Measure once and tell the other nodes. Raises nothing a dead guest or store causes."""
    node.tasks.settle()
    node.broadcast.tell(
        "stats",
        {
            "node": hoststats.brief() | {"cpu": cpu.fraction()},
            "guests": _guests(node),
            "stores": _stores(node),
        },
    )
    node.broadcast.announce_tasks(node.tasks)


def _guests(node: Node) -> dict[str, dict[str, Any]]:
    vitals = _vitals(node)
    if vitals is None:
        return {}
    return {
        str(guest.vmid): resource_stats(guest, config, vitals.get(guest.vmid, STOPPED))
        for guest, config in node.guests.configs(node.name)
    }


def _vitals(node: Node) -> dict[int, Vitals] | None:
    try:
        return dict(node.runtime.vitals())
    except Died as error:
        print(f"guests cannot be observed: {error.text}", flush=True)
        return None


def _stores(node: Node) -> dict[str, dict[str, Any]]:
    stores = {}
    for section in node.storage.declared():
        usage = node.storage.usage(section)
        if usage:
            stores[section.name] = {"maxdisk": usage.total, "disk": usage.used}
    return stores
