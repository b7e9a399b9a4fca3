"""The cluster as this node sees it: who is a member, who is online, whether it is quorate.

Read from ``/etc/pve/.members``, which the cluster file system keeps. A node
without corosync is a cluster of its own, always quorate.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .errors import Died


@dataclass(frozen=True, slots=True)
class Member:
    """One node; ``node_id`` is corosync's, 0 without a cluster."""

    name: str
    node_id: int
    online: bool
    address: str


@dataclass(frozen=True, slots=True)
class Cluster:
    """Name and quorum of a cluster; ``version`` is corosync's configuration version."""

    name: str
    version: int
    quorate: bool


@dataclass(frozen=True, slots=True)
class Membership:
    """The members by name, and the cluster; ``cluster`` is None for a node on its own."""

    node: str
    members: Mapping[str, Member] = field(default_factory=dict)
    cluster: Cluster | None = None

    @property
    def quorate(self) -> bool:
        """Whether this node may change anything."""
        return self.cluster is None or self.cluster.quorate

    def require_quorum(self) -> None:
        """Raise ``Died`` with the vendor's text when there is no quorum."""
        if not self.quorate:
            raise Died("cluster not ready - no quorum?")

    def names(self) -> tuple[str, ...]:
        """Every node, this one too when it is on its own."""
        return tuple(self.members) or (self.node,)

    def online(self, name: str) -> bool:
        """Whether corosync counts the node among the living."""
        member = self.members.get(name)
        return member.online if member else name == self.node

    def address(self, name: str) -> str:
        """A node's address; raises ``Died`` when it has none but a loopback one."""
        member = self.members.get(name)
        if member and member.address:
            return member.address
        return _lookup(name)


def read_membership(path: Path, node: str) -> Membership:
    """Read ``.members``; a file that is not there is a node on its own."""
    try:
        content: dict[str, Any] = json.loads(path.read_text())
    except FileNotFoundError:
        return Membership(node)
    if "cluster" not in content:
        return Membership(node)
    cluster = content["cluster"]
    return Membership(
        node=node,
        members={
            name: Member(name, entry["id"], bool(entry["online"]), entry.get("ip", ""))
            for name, entry in content["nodelist"].items()
        },
        cluster=Cluster(cluster["name"], cluster["version"], bool(cluster["quorate"])),
    )


def format_membership(membership: Membership, version: int) -> bytes:
    """The content of ``.members`` as the vendor's cluster file system writes it."""
    content: dict[str, Any] = {"nodename": membership.node, "version": version}
    if membership.cluster is not None:
        content["cluster"] = {
            "name": membership.cluster.name,
            "version": membership.cluster.version,
            "nodes": len(membership.members),
            "quorate": int(membership.cluster.quorate),
        }
        content["nodelist"] = {
            member.name: {
                "id": member.node_id,
                "online": int(member.online),
                "ip": member.address,
            }
            for member in membership.members.values()
        }
    return json.dumps(content, indent=1).encode() + b"\n"


def non_loopback_addresses(name: str) -> list[str]:
    """The name's addresses outside 127.0.0.0/8 and ::1; raises ``socket.gaierror``."""
    found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    addresses = [str(info[4][0]) for info in found]
    return [a for a in addresses if not a.startswith("127.") and a != "::1"]


def _lookup(name: str) -> str:
    try:
        addresses = non_loopback_addresses(name)
    except socket.gaierror as error:
        raise Died(
            f"hostname lookup '{name}' failed - failed to get address info for: "
            f"{name}: {error.strerror}"
        ) from error
    if not addresses:
        raise Died(f"address lookup for '{name}' did not find any IP address")
    return addresses[0]
