"""Corosync: who belongs to the cluster, and whether this node's partition is quorate.

Read from ``corosync.conf`` (corosync.conf(5)) and from the tables that
``corosync-quorumtool(8)`` prints.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from ..members import Cluster, Member, Membership

CONFIGURATION = Path("/etc/corosync/corosync.conf")
AUTHKEY = Path("/etc/corosync/authkey")
QUORUMTOOL = "corosync-quorumtool"
_SETTING = re.compile(r"(\w+)\s*:\s*(\S.*)")
MEMBER_ROW = re.compile(r"^\s*(\d+)\s+\d+\s+\S", re.MULTILINE)
MEMBER_TABLE = "Membership information"


@dataclass(frozen=True, slots=True)
class ClusterNode:
    """A node of the node list; ``address`` is its first link's."""

    name: str
    node_id: int
    address: str
    votes: int = 1


@dataclass(frozen=True, slots=True)
class Configuration:
    """What ``corosync.conf`` says."""

    name: str
    version: int
    nodes: tuple[ClusterNode, ...]

    def node_id(self, name: str) -> int:
        """The number of a node; ``KeyError`` when it is none of the cluster's."""
        return {node.name: node.node_id for node in self.nodes}[name]

    def peers(self, name: str) -> tuple[ClusterNode, ...]:
        """All nodes but this one."""
        return tuple(node for node in self.nodes if node.name != name)


@dataclass(frozen=True, slots=True)
class QuorumState:
    """Whether the partition is quorate, and the numbers of the nodes in it."""

    quorate: bool
    present: frozenset[int]


NO_QUORUM = QuorumState(quorate=False, present=frozenset())


def read_configuration(path: Path) -> Configuration | None:
    """Read ``corosync.conf``; None for a node that belongs to no cluster."""
    try:
        lines = path.read_text().splitlines()
    except FileNotFoundError:
        return None
    totem: dict[str, str] = {}
    nodes: list[dict[str, str]] = []
    section: list[str] = []
    for line in map(str.strip, lines):
        setting = _SETTING.fullmatch(line)
        if line.endswith("{"):
            section.append(line.rstrip("{ \t"))
            if section == ["nodelist", "node"]:
                nodes.append({})
        elif line == "}":
            section.pop()
        elif setting and section == ["totem"]:
            totem[setting[1]] = setting[2]
        elif setting and section == ["nodelist", "node"]:
            nodes[-1][setting[1]] = setting[2]
    return Configuration(
        name=totem.get("cluster_name", ""),
        version=int(totem.get("config_version", "1")),
        nodes=tuple(
            ClusterNode(
                node.get("name", node["ring0_addr"]),
                int(node["nodeid"]),
                node["ring0_addr"],
                int(node.get("quorum_votes", "1")),
            )
            for node in nodes
        ),
    )


def parse_quorum(text: str) -> QuorumState:
    """Read the table that ``corosync-quorumtool`` prints."""
    rows = MEMBER_ROW.findall(text.partition(MEMBER_TABLE)[2])
    return QuorumState(
        quorate=re.search(r"^Quorate:\s+Yes", text, re.MULTILINE) is not None,
        present=frozenset(map(int, rows)),
    )


def membership(node: str, configuration: Configuration | None, state: QuorumState) -> Membership:
    """The content of ``.members``; a node always sees itself."""
    if configuration is None:
        return Membership(node)
    return Membership(
        node=node,
        members={
            each.name: Member(
                each.name,
                each.node_id,
                each.node_id in state.present or each.name == node,
                each.address,
            )
            for each in configuration.nodes
        },
        cluster=Cluster(configuration.name, configuration.version, state.quorate),
    )
