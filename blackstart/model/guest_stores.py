"""Whether what a guest's start opens lies on a store that its node can use."""

from __future__ import annotations

from collections.abc import Iterable

from blackstart.model.guest_volumes import Opened
from blackstart.model.proxmox_facts import StoreDefinition, StoreState

FULL = 0.99
"""From this share on a thin image can no longer grow: its guest stops at the next write."""


def trouble(
    item: Opened,
    node: str,
    definitions: Iterable[StoreDefinition],
    states: Iterable[StoreState],
) -> str | None:
    """Why the start would not get this volume from its store; ``None`` when it would.

    The order is the vendor's own (PVE::Storage): exists, enabled, this node, content, active.
    """
    name = item.store
    declared = next((store for store in definitions if store.name == name), None)
    if declared is None:
        return f"store {name} does not exist"
    state = next((store for store in states if store.name == name), None)
    return _forbidden(item, node, declared) or _unusable(node, declared.name, state)


def _forbidden(item: Opened, node: str, declared: StoreDefinition) -> str | None:
    if declared.disabled:
        return f"store {declared.name} is disabled"
    if declared.nodes and node not in declared.nodes:
        return f"store {declared.name} is for {', '.join(declared.nodes)} only"
    if declared.content and item.content not in declared.content:
        return f"store {declared.name} is not for {item.content}"
    return None


def _unusable(node: str, name: str, state: StoreState | None) -> str | None:
    if state is None or not state.active:
        return f"store {name} is not active on {node}"
    if state.share_used >= FULL:
        return f"store {name} is full on {node} ({state.share_used:.0%})"
    return None


def remedy(problem: str, store: str | None, node: str) -> str:
    """What mends it, as a command where there is one."""
    if problem.endswith("is disabled"):
        return f"pvesm set {store} --disable 0"
    if problem.endswith("only"):
        return f"pvesm set {store} --nodes NODES-AND-{node}"
    if " is not for " in problem:
        return f"pvesm set {store} --content CONTENT-AND-{problem.rpartition(' ')[2]}"
    if "does not exist" in problem:
        return f"declare it again: pvesm add TYPE {store} ..., or move the guest's entry to another"
    if "is full" in problem:
        return f"make room on {store}: its largest are in pvesm list {store}"
    return f"on {node}: pvesm status; mount or import what {store} is on"
