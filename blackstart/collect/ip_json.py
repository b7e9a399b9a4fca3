"""Interfaces and VLANs in what ``ip -j`` and ``bridge -j`` print (ip(8), bridge(8))."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from blackstart.model.host_network import Bridging, Card


def read_cards(lines: Sequence[str]) -> tuple[Card, ...]:
    """The interfaces but the loopback. Raises ``ValueError`` or ``KeyError`` on anything else."""
    return tuple(_card(item) for item in _listed(lines) if item and _is_card(item))


def read_bridging(lines: Sequence[str]) -> dict[str, Bridging]:
    """VLANs by port. Raises ``ValueError`` or ``KeyError`` on anything else."""
    found: dict[str, Bridging] = {}
    for port in _listed(lines):
        vlans: list[int] = []
        untagged = None
        for item in port.get("vlans", ()):
            vlans += range(item["vlan"], item.get("vlanEnd", item["vlan"]) + 1)
            if "PVID" in item.get("flags", ()):
                untagged = item["vlan"]
        found[port["ifname"]] = Bridging(vlans=tuple(vlans), untagged=untagged)
    return found


def _listed(lines: Sequence[str]) -> list[dict[str, Any]]:
    """Nothing at all is an empty list, as older versions print it."""
    found = json.loads("".join(lines) or "[]")
    if not isinstance(found, list):
        raise ValueError(f"no list: {found!r:.40}")
    return found


def _is_card(item: dict[str, Any]) -> bool:
    return bool(item["link_type"] != "loopback")


def _card(item: dict[str, Any]) -> Card:
    info = item.get("linkinfo", {})
    data = info.get("info_data", {})
    kind = info.get("info_kind", "")
    return Card(
        name=item["ifname"],
        kind=kind,
        up="UP" in item["flags"] and item["operstate"] in ("UP", "UNKNOWN"),
        master=item.get("master", ""),
        addresses=tuple(_addresses(item)),
        errors=sum(item["stats64"][way]["errors"] for way in ("rx", "tx")),
        vlan_aware=kind == "bridge" and bool(data.get("vlan_filtering")),
        vlan_id=data.get("id") if kind == "vlan" else None,
    )


def _addresses(item: dict[str, Any]) -> Iterator[str]:
    for address in item["addr_info"]:
        if "local" in address:
            yield address["local"]
