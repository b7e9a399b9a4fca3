"""What takes down what: single points of failure, and what pairs have in common.

Not dominators of a flow graph: those hold where any one way suffices, and here most parts
need all they need and a few need some of several. So each part is taken away in turn.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from blackstart.model.boot_graph import SEEN, BootGraph, PartKind
from blackstart.model.inventory import Inventory
from blackstart.model.observed import Record
from blackstart.model.subjects import subject

_CAN_FAIL = (
    *(PartKind.NODE, PartKind.MOUNT, PartKind.STORE, PartKind.GUEST),
    *(PartKind.DHCP, PartKind.DNS, PartKind.NAME, PartKind.OUTSIDE),
)
_SHARED = (PartKind.NODE, PartKind.MOUNT, PartKind.STORE, PartKind.GUEST, PartKind.OUTSIDE)


class Group(Record):
    """Parts that stand in for each other: while ``enough`` of them are there, all is well."""

    name: str
    members: tuple[str, ...]
    enough: int
    evidence: str


class Failure(Record):
    """One part that does not come back, and what does not come back because of it.

    ``groups`` are the names of those of which not enough would be left.
    """

    part: str
    takes: tuple[str, ...]
    groups: tuple[str, ...] = ()


class Shared(Record):
    """What a group has in common: each of these alone takes too many of its members."""

    group: Group
    domains: tuple[Failure, ...]


def failures(graph: BootGraph, groups: tuple[Group, ...] = ()) -> tuple[Failure, ...]:
    """Every part that takes others along at a cold start, most of them first."""
    whole = graph.starting()
    found: list[Failure] = []
    for part in graph.parts:
        if part.kind not in _CAN_FAIL or part.id not in whole:
            continue
        left = graph.starting(gone=(part.id,))
        takes = tuple(
            other.id
            for other in graph.parts
            if other.kind in SEEN and other.id in whole - left and other.id != part.id
        )
        lost = tuple(group.name for group in groups if not _stands(group, left))
        if takes:
            found.append(Failure(part=part.id, takes=takes, groups=lost))
    return tuple(sorted(found, key=lambda item: -len(item.takes)))


def shared(graph: BootGraph, groups: tuple[Group, ...]) -> tuple[Shared, ...]:
    """What each group has in common while everything runs.

    Power, which all have in common, is left aside, and so are leases: a guest that runs
    keeps its address for a while when the DHCP server is gone.
    """
    running = (PartKind.POWER, PartKind.LEASE, PartKind.QUORUM)
    whole = graph.starting(given=running)
    found: list[Shared] = []
    for group in groups:
        domains = tuple(_domains(graph, group, whole, running))
        found.append(Shared(group=group, domains=domains))
    return tuple(found)


def _domains(
    graph: BootGraph, group: Group, whole: frozenset[str], given: tuple[PartKind, ...]
) -> Iterator[Failure]:
    """Those that fail it, without what fails only because another of them did."""
    for part in graph.parts:
        if part.kind in _SHARED and part.id in whole:
            left = graph.starting(gone=(part.id,), given=given)
            if not _stands(group, left):
                takes = tuple(member for member in group.members if member not in left)
                yield Failure(part=part.id, takes=takes, groups=(group.name,))


def _stands(group: Group, ready: frozenset[str]) -> bool:
    return sum(member in ready for member in group.members) >= group.enough


def groups_of(inventory: Inventory, graph: BootGraph) -> tuple[Group, ...]:
    """Every group that the inventory declares with more members than it needs.

    DNS servers, DHCP servers, ``never_down`` groups; of k3s servers a majority is needed,
    because etcd decides by one (k3s, "High Availability Embedded etcd").
    """
    return tuple(_groups(inventory, graph))


def _groups(inventory: Inventory, graph: BootGraph) -> Iterator[Group]:
    named: Mapping[str, tuple[str, list[str], int]] = {
        "dns": (
            "dns.servers",
            [subject("dns", name) for name in (inventory.dns.servers if inventory.dns else {})],
            1,
        ),
        "dhcp": ("dhcp", [subject("dhcp", name) for name in inventory.dhcp], 1),
    }
    for name, (key, members, enough) in named.items():
        if len(members) > enough:
            yield Group(name=name, members=tuple(members), enough=enough, evidence=key)
    servers = [subject("guest", name) for name in (inventory.k3s.servers if inventory.k3s else ())]
    majority = len(servers) // 2 + 1
    if len(servers) > majority and all(server in graph.by_id for server in servers):
        evidence = "k3s.servers"
        yield Group(name="k3s", members=tuple(servers), enough=majority, evidence=evidence)
    for name, declared in inventory.never_down.items():
        if len(declared.any_of) > 1:
            key = f"never_down.{name}"
            yield Group(name=name, members=declared.any_of, enough=1, evidence=key)
