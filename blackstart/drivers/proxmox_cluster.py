"""The cluster through the Proxmox VE API: ``ClusterView``.

Lists of this API are filtered and not refused: a token without the privilege gets an
empty one. So what a list does not show is only believed of a token that may see all of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from blackstart.drivers import proxmox_answers as answers
from blackstart.drivers.proxmox_answers import Json
from blackstart.drivers.proxmox_api import ProxmoxApi
from blackstart.drivers.proxmox_seeing import STATUS, must_see, observed, whole_cluster
from blackstart.errors import Rejected
from blackstart.model.circumstances import (
    Capacity,
    HighAvailability,
    Managed,
    Memory,
    RunningTask,
    Store,
)
from blackstart.model.facts import Observed

RESOURCES = "cluster/resources"
HA = "cluster/ha/status/current"
# PVE::API2::HA::Status: "NODE (STATE, TIME)", where a mode other than active is the state.
_MAINTENANCE = re.compile(r"\((maintenance mode),")
_SID = {"qemu": "vm", "lxc": "ct"}

T = TypeVar("T")


class ProxmoxCluster:
    """Quorum, membership and what goes on, as the node that answers sees it."""

    def __init__(self, api: ProxmoxApi) -> None:
        self._api = api

    def quorate(self) -> Observed[bool]:
        """Whether the side that answers has quorum."""
        return self._of_status(answers.quorate)

    def online(self) -> Observed[tuple[str, ...]]:
        """Names of the nodes that are online; none at all is no answer."""
        return self._of_status(lambda status: answers.online_nodes(status) or None)

    def standalone(self) -> Observed[bool]:
        """Whether there is but one node and no cluster."""
        return self._of_status(answers.standalone)

    def tasks(self) -> Observed[tuple[RunningTask, ...]]:
        """Tasks without an end, on any node; not known while one is offline."""

        def ask() -> tuple[RunningTask, ...]:
            for node in self._nodes():
                must_see(self._api, f"/nodes/{node}", "Sys.Audit")
            return tuple(running_tasks(self._list("cluster/tasks")))

        return observed(self._api, "api GET cluster/tasks", ask)

    def stores(self) -> Observed[tuple[Store, ...]]:
        """Every enabled store of every node; not known while one is offline."""

        def ask() -> tuple[Store, ...]:
            must_see(self._api, "/storage", "Datastore.Audit")
            found: list[Store] = []
            for node in self._nodes():
                path = f"nodes/{node}/storage"
                found += stores_of(node, answers.records(self._api.get(path, enabled=1), path))
            return tuple(found)

        return observed(self._api, "api GET nodes/NODE/storage", ask)

    def high_availability(self) -> Observed[HighAvailability]:
        """Guests that the high-availability stack manages; this list is refused, not filtered."""
        return observed(self._api, f"api GET {HA}", lambda: high_availability(self._list(HA)))

    def memory(self) -> Observed[Memory]:
        """Memory of nodes that are online, and of guests that the token may see."""
        return observed(self._api, f"api GET {RESOURCES}", lambda: memory_of(self._list(RESOURCES)))

    def _list(self, path: str) -> list[Json]:
        return answers.records(self._api.get(path), path)

    def _nodes(self) -> tuple[str, ...]:
        """Every node of the cluster. Raises ``Rejected`` when one is offline: it hides its own."""
        status = whole_cluster(self._api)
        online = answers.online_nodes(status)
        away = {str(it.get("name")) for it in status if it.get("type") == "node"} - set(online)
        if away:
            raise Rejected(f"{', '.join(sorted(away))} is offline in {STATUS}")
        if not online:
            raise Rejected(f"{STATUS} names no node")
        return online

    def _of_status(self, read: Callable[[list[Json]], T | None]) -> Observed[T]:
        def ask() -> T:
            value = read(whole_cluster(self._api))
            if value is None:
                raise Rejected("the answer names no node")
            return value

        return observed(self._api, f"api GET {STATUS}", ask)


def running_tasks(entries: Iterable[Json]) -> Iterator[RunningTask]:
    """What ``cluster/tasks`` shows without an end time."""
    for entry in entries:
        if "endtime" not in entry:
            yield RunningTask(
                kind=str(entry.get("type", "unknown")),
                node=str(entry.get("node", "")),
                subject=str(entry.get("id") or ""),
                user=str(entry.get("user", "")),
            )


def stores_of(node: str, entries: Iterable[Json]) -> list[Store]:
    """Stores of one node. Raises ``Rejected`` for an empty list: no node is without any."""
    found = [
        Store(
            node=node,
            name=str(entry.get("storage")),
            active=answers.flag(entry.get("active")),
        )
        for entry in entries
    ]
    if not found:
        raise Rejected(f"{node}: the list of its stores is empty")
    return found


def high_availability(entries: Iterable[Json]) -> HighAvailability:
    """``cluster/ha/status/current``. Raises ``Rejected`` when it lacks what it always has."""
    by_type: dict[str, list[Json]] = {}
    for entry in entries:
        by_type.setdefault(str(entry.get("type")), []).append(entry)
    if "quorum" not in by_type:
        raise Rejected(f"{HA}: not understood: it has no entry of type quorum")
    managed = tuple(
        Managed(
            sid=str(entry.get("sid")),
            node=str(entry.get("node")),
            state=str(entry.get("state", "unknown")),
            requested=str(entry.get("request_state") or "started"),
        )
        for entry in by_type.get("service", [])
        if entry.get("request_state") != "ignored" and entry.get("state") != "ignored"
    )
    return HighAvailability(
        managed=managed,
        maintenance=tuple(
            str(entry.get("node"))
            for entry in by_type.get("lrm", [])
            if _MAINTENANCE.search(str(entry.get("status", "")))
        ),
        disarmed=any(
            entry.get("armed-state") == "disarmed" for entry in by_type.get("fencing", [])
        ),
    )


@answers.understood(RESOURCES)
def memory_of(entries: Iterable[Json]) -> Memory:
    """``cluster/resources``: a node without figures is left out, so it can take nobody in."""
    nodes: dict[str, Capacity] = {}
    guests: dict[str, int] = {}
    for entry in entries:
        kind = str(entry.get("type"))
        if kind == "node" and entry.get("status") == "online" and {"maxmem", "mem"} <= set(entry):
            capacity = Capacity(total=int(entry["maxmem"]), used=int(entry["mem"]))
            nodes[str(entry["node"])] = capacity
        elif kind in _SID and "maxmem" in entry:
            guests[f"{_SID[kind]}:{entry['vmid']}"] = int(entry["maxmem"])
    if not nodes:
        raise Rejected(f"{RESOURCES}: no node shows its memory (Sys.Audit on /nodes)")
    return Memory(nodes=nodes, guests=guests)
