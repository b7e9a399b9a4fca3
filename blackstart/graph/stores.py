"""Stores: what a guest's volumes lie on, and what that lies on."""

from __future__ import annotations

from collections.abc import Mapping

from blackstart.graph.growing import Growing, part_id
from blackstart.graph.hosts import mount_on
from blackstart.graph.names import need_server
from blackstart.model.boot_graph import Part, PartKind
from blackstart.model.guest_volumes import opened
from blackstart.model.proxmox_facts import StoreDefinition
from blackstart.model.subjects import subject


def need_volumes(
    grow: Growing, start: str, node: str, config: Mapping[str, str], source: str
) -> None:
    """A guest's turn needs the stores of all its volumes, and the mounts of its bind mounts."""
    for item in opened(config):
        said = f"{source}: {item.key}: {config[item.key]}"
        if item.store is not None:
            store = _store(grow, node, item.store, said)
            grow.needs(start, store, f"has {item.key} there", said)
            continue
        mount = mount_on(grow, node, item.volid)
        if mount is not None:
            grow.needs(start, mount, f"has {item.key} there", said)


def _store(grow: Growing, node: str, name: str, said: str) -> str:
    store = part_id(PartKind.STORE, f"{name} on {node}")
    if grow.has(store):
        return store
    grow.part(Part(id=store, kind=PartKind.STORE, label=name, host=node, evidence=(said,)))
    grow.needs(store, subject("node", node), f"is on {node}", said)
    defined = grow.given.stores
    if defined.value is None:
        grow.unknown(store, f"what it lies on ({defined.error or 'no answer'})", defined.source)
        return store
    found = next((item for item in defined.value if item.name == name), None)
    if found is None:
        grow.unknown(store, f"there is no store {name}", defined.source)
        return store
    _lies_on(grow, store, node, found)
    return store


def _lies_on(grow: Growing, store: str, node: str, found: StoreDefinition) -> None:
    """A network store asks its server itself; a directory lies on a mount, or on the node."""
    said = f"{grow.given.stores.source}: {found.kind} {found.name}"
    if found.servers:
        server = found.servers[0]
        need_server(grow, node, store, server, f"{said}, server {server}")
    elif found.path is not None:
        mount = mount_on(grow, node, found.path)
        if mount is not None:
            grow.needs(store, mount, f"lies on {found.path}", f"{said}, path {found.path}")
