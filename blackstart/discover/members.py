"""The nodes that an inventory can hold: where each is reached, and what its certificate is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from blackstart.discover.entrance import Entrance
from blackstart.discover.naming import is_hostname
from blackstart.discover.written import dumped, one_line
from blackstart.model.survey import NodeSeen


@dataclass(frozen=True, slots=True)
class Access:
    """How the API was reached, as the inventory will say it.

    ``pinned``: each node's certificate is written down; ``fingerprint`` is the one that was
    pinned to get here.
    """

    entrance: Entrance
    token: str
    ca: str | None = None
    fingerprint: str | None = None

    @property
    def pinned(self) -> bool:
        """Also where a name was verified: the inventory's addresses are not in such a certificate
        for sure.
        """
        by_name = self.ca is None and self.entrance.ip is None
        return self.fingerprint is not None or by_name


@dataclass(frozen=True, slots=True)
class Members:
    """Nodes by name with their address, and in words those that are left out."""

    addresses: Mapping[str, str]
    left_out: tuple[str, ...]


def members(nodes: Iterable[NodeSeen], access: Access) -> Members:
    """Each node once, by the address under which it answered here, else the cluster's own."""
    addresses: dict[str, str] = {}
    left_out: list[str] = []
    for node in nodes:
        reached = access.entrance.ipv4 if node.local else None
        address = reached or Entrance(node.address or "", 0).ipv4
        why = ""
        if not is_hostname(node.name):
            why = "an inventory has names in lower case"
        elif address is None:
            why = f"its address is {node.address or 'not known'}, and an inventory has IPv4 ones"
        elif address in addresses.values():
            why = f"another node has its address {address}"
        if why or address is None:
            left_out.append(one_line(f"{node.name}: {why}"))
        else:
            addresses[node.name] = address
    return Members(addresses, tuple(left_out))


def written(nodes: Iterable[NodeSeen], found: Members, access: Access) -> Iterator[str]:
    """Their lines in the inventory."""
    yield "# decide: `out_of_band:` for each, the way in when the machine itself is dead."
    yield "nodes:"
    for node in nodes:
        if node.name in found.addresses:
            yield from _node(node, found.addresses[node.name], access)
    for why in found.left_out:
        yield f"  # left out: node {why}"


def _node(node: NodeSeen, address: str, access: Access) -> Iterator[str]:
    if not node.online:
        yield "  # decide: offline when looked at."
    if node.address not in (None, address):
        other = one_line(str(node.address))
        yield f"  # decide: reached as {address}; the cluster itself uses {other}."
    body: dict[str, Any] = {"address": address, "api": "proxmox"}
    if access.pinned:
        presented = (access.fingerprint if node.local else None) or node.fingerprint
        if presented is None:
            yield "  # decide: the API does not show its certificate; read `fingerprint:` on it."
        else:
            body["fingerprint"] = presented
    yield dumped({node.name: body}, 2)
