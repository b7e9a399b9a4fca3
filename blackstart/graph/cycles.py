"""What never starts: parts that wait for themselves, and parts whose turn comes too early."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise

import networkx as nx

from blackstart.model.boot_graph import BootGraph, Link, LinkKind, PartKind
from blackstart.model.observed import Record

_ASKERS = (PartKind.MOUNT, PartKind.STORE)
_RESOLVERS = (PartKind.DNS, PartKind.DHCP)


class Cycle(Record):
    """Links that lead back to where they begin: none of these parts starts before itself.

    A ``deadlock`` waits for ever. Otherwise the order of starts is at odds with what a guest
    needs: its turn comes before that can be there, and its start fails.
    """

    links: tuple[Link, ...]
    deadlock: bool

    @property
    def parts(self) -> tuple[str, ...]:
        """Ids of its parts, in order."""
        return tuple(link.before for link in self.links)

    @property
    def evidence(self) -> tuple[str, ...]:
        """What makes it one: the lines by which somebody asks, and those of whom they ask.

        Of the mount or store that is waited for, then of the server that is a guest; every
        line of its links where it has no such two.
        """
        asking = [link for link in self.links if _kind(link.after) in _ASKERS]
        named = [link for link in asking if _kind(link.before) == PartKind.NAME] or asking
        serving = [link for link in self.links if _kind(link.after) in _RESOLVERS]
        if named and serving:
            return (named[0].evidence[0], "; ".join(serving[0].evidence))
        return tuple(dict.fromkeys(line for link in self.links for line in link.evidence[:1]))

    @property
    def fix(self) -> str:
        """What breaks it, destroying nothing."""
        by_name = [link for link in self.links if _kind(link.before) == PartKind.NAME]
        waited = [link for link in self.links if _kind(link.after) == PartKind.BOOT]
        if by_name:
            name = by_name[0].before.partition("/")[2].split()[0]
            if _kind(by_name[0].after) == PartKind.STORE:
                return f"define {by_name[0].after} by the address of {name}, not by the name"
            where = by_name[0].evidence[0].partition(": ")[0]
            mend = f"in {where} write the address of {name} instead of the name"
            return mend + (", and add nofail" if waited else "")
        if not self.deadlock:
            return "give what is needed an earlier order: qm set VMID --startup order=N"
        if waited and _kind(waited[0].before) == PartKind.MOUNT:
            return "add nofail to that mount, or take its server from elsewhere"
        return "let one of these depend on something that starts without it"


def _kind(part: str) -> str:
    return part.partition("/")[0]


def stuck(graph: BootGraph) -> frozenset[str]:
    """Ids of everything that would not start by itself."""
    return frozenset(graph.by_id) - graph.starting()


def cycles(graph: BootGraph) -> tuple[Cycle, ...]:
    """Every deadlock, and every turn that comes too early; each by its shortest way round.

    A part that waits for any one of several is in a cycle only when none of them starts.
    """
    return (*_deadlocks(graph), *(_early(graph, *item) for item in graph.too_early.items()))


def _deadlocks(graph: BootGraph) -> Iterator[Cycle]:
    waiting = frozenset(graph.by_id) - graph.ready()
    directed = _directed(link for link in _among(graph, waiting) if link.kind is LinkKind.NEEDS)
    order = {part.id: place for place, part in enumerate(graph.parts)}
    for component in nx.strongly_connected_components(directed):
        inner = directed.subgraph(component)
        if inner.number_of_edges() == 0:
            continue
        parts = sorted(component, key=order.__getitem__)
        askers = [part for part in parts if graph.by_id[part].kind in _ASKERS]
        for begin in askers or parts[:1]:
            yield Cycle(links=_shortest(inner, begin), deadlock=True)


def _early(graph: BootGraph, part: str, later: frozenset[str]) -> Cycle:
    """From a part to one whose turn is later, and from that back by what the part needs."""
    lacking = graph.ready() - graph.ready(gone=later)
    links = [
        link
        for link in _among(graph, lacking)
        if link.kind is LinkKind.NEEDS or (link.kind is LinkKind.AFTER and link.after in later)
    ]
    return Cycle(links=_shortest(_directed(links), part), deadlock=False)


def _among(graph: BootGraph, parts: frozenset[str]) -> Iterator[Link]:
    return (link for link in graph.links if {link.before, link.after} <= parts)


def _directed(links: Iterable[Link]) -> nx.DiGraph[str]:
    directed: nx.DiGraph[str] = nx.DiGraph()
    for link in links:
        directed.add_edge(link.before, link.after, link=link)
    return directed


def _shortest(directed: nx.DiGraph[str], begin: str) -> tuple[Link, ...]:
    """The shortest way from a part back to itself; there is one."""
    ways = [
        nx.shortest_path(directed, after, begin)
        for after in directed.successors(begin)
        if nx.has_path(directed, after, begin)
    ]
    way = [begin, *min(ways, key=lambda way: (len(way), way))]
    return tuple(directed.edges[one, other]["link"] for one, other in pairwise(way))
