"""Stores: what a guest's volumes lie on, and what that lies on."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from blackstart.graph.growing import Growing, part_id
from blackstart.graph.hosts import mount_on
from blackstart.graph.inputs import Store
from blackstart.graph.names import need_server
from blackstart.model.boot_graph import Part, PartKind
from blackstart.model.subjects import subject

# qm.conf(5), pct.conf(5). What is "unused" is not needed to start.
_VOLUME_KEY = re.compile(r"^((ide|sata|scsi|virtio|efidisk|mp)\d+|rootfs|tpmstate0)$")
_VOLUME = re.compile(r"^([A-Za-z][A-Za-z0-9._-]*[A-Za-z0-9]):")


def volumes(config: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Each key of a guest's configuration that names a volume or a path, and that name."""
    for key, value in config.items():
        if _VOLUME_KEY.fullmatch(key):
            named = value.split(",")[0].removeprefix("file=").removeprefix("volume=")
            if named not in ("none", "cdrom"):
                yield key, named


def need_volumes(
    grow: Growing, start: str, node: str, config: Mapping[str, str], source: str
) -> None:
    """A guest's turn needs the stores of all its volumes, and the mounts of its bind mounts."""
    for key, named in volumes(config):
        said = f"{source}: {key}: {config[key]}"
        store = _VOLUME.match(named)
        if store is not None:
            grow.needs(start, _store(grow, node, store[1], said), f"has {key} there", said)
        elif named.startswith("/"):
            mount = mount_on(grow, node, named)
            if mount is not None:
                grow.needs(start, mount, f"has {key} there", said)


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
    found = next((item for item in defined.value if item.name == name and item.on(node)), None)
    if found is None:
        grow.unknown(store, f"there is no store {name} on {node}", defined.source)
        return store
    _lies_on(grow, store, node, found)
    return store


def _lies_on(grow: Growing, store: str, node: str, found: Store) -> None:
    """A network store asks its server itself; a directory lies on a mount, or on the node."""
    if found.server is not None:
        said = f"{found.source}: {found.kind} {found.name}, server {found.server}"
        need_server(grow, node, store, found.server, said)
    elif found.path is not None:
        mount = mount_on(grow, node, found.path)
        if mount is not None:
            said = f"{found.source}: {found.kind} {found.name}, path {found.path}"
            grow.needs(store, mount, f"lies on {found.path}", said)
