"""A whole cluster for checks, through the Proxmox VE API: reads only, in rounds.

First what the cluster says, then what each node that is online says, then what lies in its
stores and how its guests would start, and last what only some answers make necessary. Each
round asks side by side and takes no more than is left of the whole time.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from functools import partial
from ipaddress import ip_address
from typing import Any

from blackstart.drivers.base import Clock
from blackstart.drivers.bounded import gather
from blackstart.drivers.proxmox_api import ProxmoxApi
from blackstart.drivers.proxmox_patience import Patience, by_turns
from blackstart.drivers.proxmox_questions import ProxmoxQuestions, Questions
from blackstart.drivers.proxmox_seeing import observed
from blackstart.drivers.triage import Triage
from blackstart.errors import DriverError
from blackstart.model.guest_volumes import Opened, opened, pinned_machine, properties
from blackstart.model.observed import Observed
from blackstart.model.proxmox_facts import (
    GuestPlan,
    GuestRow,
    HypervisorFacts,
    ProxmoxFacts,
    StoreDefinition,
    StoreState,
    Volume,
    nothing_of,
    silent_hypervisor,
)

WORKERS = 8
DEADLINE_S = 42.0
_USES = {"hostpci": "pci", "usb": "usb", "virtiofs": "dir"}
Asked = dict[str, Observed[Any]]
Plans = dict[str, GuestPlan]
Ask = Callable[[Questions], Asked]
Content = dict[str, Observed[tuple[Volume, ...]]]


class ProxmoxLook:
    """Looks at a cluster once for each call. Thread-safe; changes nothing."""

    def __init__(
        self,
        api: ProxmoxApi,
        clock: Clock,
        *,
        deadline_s: float = DEADLINE_S,
        triage: Triage | None = None,
    ) -> None:
        self._api = api
        self._triage = triage or Triage()
        self._clock = clock
        self._deadline_s = deadline_s
        self._questions = ProxmoxQuestions(api, clock)

    def __call__(self) -> ProxmoxFacts:
        """Every fact, or why it is not known; at most ``deadline_s`` seconds, never raises."""
        until = time.monotonic() + self._triage.bound(self._deadline_s)
        ask = partial(self._round, until=until, patience=Patience())
        taken_at = self._clock.wall()
        cluster = ask(self._questions.of_cluster())
        online: Observed[dict[str, bool]] = cluster["online"]
        if online.value is None:
            why = online.error or "no answer"
            return nothing_of(self._api.who, taken_at, online.source, why)
        up = tuple(node for node, alive in online.value.items() if alive)
        nodes = self._nodes(up, ask)
        content, plans = self._inside(up, nodes, cluster, ask)
        late = ask(self._doubts(up, cluster, plans, content))
        return ProxmoxFacts(
            who=self._api.who,
            taken_at=taken_at,
            hypervisors={
                node: _hypervisor(node, nodes, late)
                if alive
                else silent_hypervisor(online.source, f"{node} is offline")
                for node, alive in online.value.items()
            },
            plans=plans,
            content=content,
            rights={
                key.removeprefix("rights "): seen
                for key, seen in late.items()
                if key.startswith("rights ")
            },
            **cluster,
        )

    def _round(self, questions: Questions, until: float, patience: Patience) -> Asked:
        """All of them side by side, node by node in turn; what did not come in time says so."""
        sources = {key: f"api GET {path}" for key, (path, _) in questions.items()}
        asking = {
            key: partial(observed, self._api, sources[key], patience.asking(path, ask))
            for key, (path, ask) in questions.items()
        }
        paths = ((key, path) for key, (path, _) in questions.items())
        found = gather(
            {key: asking[key] for key in by_turns(paths)},
            workers=WORKERS,
            timeout_s=max(until - time.monotonic(), 0.01),
        )
        return {
            key: Observed(source=sources[key], error=str(answer))
            if isinstance(answer, DriverError)
            else answer
            for key, answer in found.items()
        }

    def _nodes(self, up: tuple[str, ...], ask: Ask) -> dict[str, Asked]:
        """What each node says of itself, by node; all of them asked in one round."""
        asked = ask(
            {
                f"{node} {name}": question
                for node in up
                for name, question in self._questions.of_node(node).items()
            }
        )
        return {
            node: {
                key.removeprefix(f"{node} "): seen
                for key, seen in asked.items()
                if key.startswith(f"{node} ")
            }
            for node in up
        }

    def _inside(
        self, up: tuple[str, ...], nodes: dict[str, Asked], cluster: Asked, ask: Ask
    ) -> tuple[Content, Plans]:
        """What lies in stores that are active (another would be mounted), and guests' plans."""
        shared = {store.name for store in cluster["stores"].value or () if store.shared}
        places: dict[str, list[str]] = {}
        for node in up:
            states: tuple[StoreState, ...] = nodes[node]["stores"].value or ()
            for store in states:
                if store.active:
                    key = store.name if store.name in shared else f"{node}/{store.name}"
                    places.setdefault(key, []).append(f"{node}/{store.name}")
        rows: tuple[GuestRow, ...] = cluster["guests"].value or ()
        awake = [row for row in rows if row.node in up and not row.template]
        questions = {
            f"content {key}": self._questions.of_store(*found[0].split("/", 1))
            for key, found in places.items()
        }
        for row in awake:
            questions |= self._questions.of_guest(row)
        asked = ask(questions)
        content = {
            place: asked[f"content {key}"] for key, found in places.items() for place in found
        }
        plans = {
            row.path: GuestPlan(
                config=asked[f"config {row.path}"], pending=asked[f"pending {row.path}"]
            )
            for row in awake
        }
        return content, plans

    def _doubts(
        self, up: tuple[str, ...], cluster: Asked, plans: Plans, content: Content
    ) -> Questions:
        """What is only asked when an answer makes it necessary."""
        rows: tuple[GuestRow, ...] = cluster["guests"].value or ()
        questions = dict(self._questions.of_rights(sorted(_hidden(rows, plans, content))))
        definitions: tuple[StoreDefinition, ...] = cluster["stores"].value or ()
        by_name = any(_is_name(server) for store in definitions for server in store.servers)
        for node in up:
            here = [plans[row.path] for row in rows if row.node == node and row.path in plans]
            kinds = {kind for plan in here for kind in _mapped(plan.config.value or {})}
            if kinds:
                questions[f"{node} mappings"] = self._questions.of_mappings(node, kinds)
            if any(pinned_machine(plan.config.value or {}) for plan in here):
                questions[f"{node} machines"] = self._questions.of_machines(node)
            if by_name:
                questions[f"{node} host_names"] = self._questions.of_host_names(node)
        return questions


def _hypervisor(node: str, nodes: dict[str, Asked], late: Asked) -> HypervisorFacts:
    """What a node said; of what nothing made necessary there is nothing to know."""
    no_names: Observed[tuple[str, ...]] = Observed(source="no store is named by a name", value=())
    no_devices: Observed[dict[str, Any]] = Observed(source="no guest uses a mapping", value={})
    no_pins: Observed[tuple[str, ...]] = Observed(source="no guest pins a machine", value=())
    return HypervisorFacts(
        **nodes[node],
        machines=late.get(f"{node} machines", no_pins),
        mappings=late.get(f"{node} mappings", no_devices),
        host_names=late.get(f"{node} host_names", no_names),
    )


def _hidden(rows: Iterable[GuestRow], plans: Plans, content: Content) -> set[str]:
    """Paths on which a privilege decides whether something is gone or only not shown."""
    found: set[str] = set()
    stores = {place.partition("/")[2] for place in content}
    saved = {
        volume.vmid
        for seen in content.values()
        for volume in seen.value or ()
        if volume.content == "backup"
    }
    for row in rows:
        plan = plans.get(row.path)
        if plan is None:
            continue
        missing = {
            item.store for item in opened(plan.config.value or {}) if _missing(item, row, content)
        }
        if missing or row.vmid not in saved:
            found.add(f"/vms/{row.vmid}")
        found |= {f"/storage/{store}" for store in missing}
        if row.vmid not in saved:
            found |= {f"/storage/{store}" for store in stores}
    return found


def _missing(item: Opened, row: GuestRow, content: Content) -> bool:
    seen = content.get(f"{row.node}/{item.store}")
    if item.store is None or seen is None or seen.value is None:
        return False
    return item.volid not in {volume.volid for volume in seen.value}


def _mapped(config: dict[str, str]) -> Iterable[str]:
    """Kinds of mapped devices that a configuration uses (qm(1), Resource Mapping)."""
    for key, text in config.items():
        kind = _USES.get(key.rstrip("0123456789"))
        if kind == "dir" or (kind and "mapping" in properties(text)):
            yield kind


def _is_name(server: str) -> bool:
    try:
        ip_address(server)
    except ValueError:
        return True
    return False
