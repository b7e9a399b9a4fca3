"""``/cluster/resources`` and ``/nodes``: what each node last told, however old it is.

Right after a stop a guest still reads running, and the guests of a dead node
keep their last state until it expires; then they are ``unknown`` and nameless.
"""

from __future__ import annotations

from typing import Any

from .access import Identity
from .guestviews import resource
from .node import Node
from .nodeviews import fingerprint

_LIVE_FIGURES = ("cpu", "mem", "disk", "uptime")
Entry = dict[str, Any]


def node_entries(node: Node, identity: Identity) -> list[Entry]:
    """``/nodes``: figures only for nodes that are online and that the caller may audit."""
    entries = []
    for name in node.membership().names():
        entry = _node_entry(node, identity, name)
        fingerprint = _fingerprint(node, name)
        entries.append(entry | ({"ssl_fingerprint": fingerprint} if fingerprint else {}))
    return entries


def resources(node: Node, identity: Identity, kind: str) -> list[Entry]:
    """``/cluster/resources``, all or of one kind (vm, storage, node, sdn)."""
    entries: list[Entry] = []
    if kind in ("", "vm"):
        entries += _guest_entries(node, identity)
    for name in node.membership().names():
        if kind in ("", "node"):
            entries.append(_node_entry(node, identity, name) | {"cgroup-mode": 2})
        if kind in ("", "storage"):
            entries += _store_entries(node, identity, name)
        if kind in ("", "sdn") and identity.may("/sdn/zones/localnetwork", "SDN.Audit"):
            entries.append(_network_entry(name))
    return entries


def _stats(node: Node, name: str) -> Entry:
    stats: Entry = node.broadcast.heard(name, "stats") or {}
    return stats


def _node_entry(node: Node, identity: Identity, name: str) -> Entry:
    online = node.membership().online(name)
    figures: Entry = _stats(node, name).get("node", {})
    entry: Entry = {"id": f"node/{name}", "type": "node", "node": name, "level": ""}
    if not identity.may(f"/nodes/{name}", "Sys.Audit"):
        return entry | {"status": "online" if online else "offline"}
    if not online:
        lasting = {k: v for k, v in figures.items() if k not in _LIVE_FIGURES}
        return entry | lasting | {"status": "offline"}
    return entry | figures | {"status": "online" if figures else "unknown"}


def _guest_entries(node: Node, identity: Identity) -> list[Entry]:
    entries = []
    for name in node.guests.nodes():
        figures = _stats(node, name).get("guests", {})
        for guest in node.guests.of_node(name):
            if identity.may(f"/vms/{guest.vmid}", "VM.Audit"):
                entries.append(resource(guest, figures.get(str(guest.vmid))))
    return entries


def _store_entries(node: Node, identity: Identity, name: str) -> list[Entry]:
    figures = _stats(node, name).get("stores", {})
    entries = []
    for section in node.storage.declared_for(name):
        if section.switch("disable") or not identity.may(
            f"/storage/{section.name}", "Datastore.Audit", "Datastore.AllocateSpace"
        ):
            continue
        usage = figures.get(section.name)
        entries.append(
            {
                "id": f"storage/{name}/{section.name}",
                "type": "storage",
                "node": name,
                "storage": section.name,
                "plugintype": section.kind,
                "content": ",".join(section.words("content")),
                "shared": int(section.switch("shared")),
                "status": "available" if usage else "unknown",
            }
            | (usage or {})
        )
    return entries


def _network_entry(name: str) -> Entry:
    return {
        "id": f"network/{name}/zone/localnetwork",
        "type": "network",
        "network-type": "zone",
        "network": "localnetwork",
        "node": name,
        "status": "ok",
    }


def _fingerprint(node: Node, name: str) -> str | None:
    try:
        return fingerprint(node.layout.certificate(name).read_text())
    except FileNotFoundError:
        return None
