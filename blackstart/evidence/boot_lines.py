"""The lines of the boot graph's picture: which are drawn, and by which way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import networkx as nx

from blackstart.evidence.boot_layout import (
    BOX,
    CYCLE_HEAD,
    GAP,
    LANE_HEAD,
    Box,
    Lane,
    Layout,
    drawn_as,
)
from blackstart.graph.cycles import Cycle
from blackstart.graph.outlook import Outlook
from blackstart.model.boot_graph import BootGraph, Link, LinkKind

Point = tuple[float, float]
TRUNKS = 5
"""Ways beside each other between two columns."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line between two boxes, through its points. ``cycle`` is whether it closes one."""

    points: tuple[Point, ...]
    kind: LinkKind
    cycle: bool
    back: bool


def lines(told: Outlook, found: Layout) -> Iterator[Line]:
    """What is drawn, cycles last so that they lie on top.

    What follows from other lines is left out: that a guest needs its node is seen by what it
    needs in between.
    """
    graph = told.graph
    around = {(link.before, link.after): cycle for cycle in told.cycles for link in cycle.links}
    shown = [link for link in graph.links if _is_shown(graph, link, around)]
    plain = {(_box(graph, link.before), _box(graph, link.after)) for link in shown}
    plain -= {(one, other) for one, other in plain if one == other}
    needed = _reduced(
        {
            (_box(graph, link.before), _box(graph, link.after))
            for link in shown
            if link.kind is LinkKind.NEEDS
        },
    )
    done: set[tuple[str, str]] = set()
    for link in sorted(shown, key=lambda link: (link.before, link.after) in around):
        ends = (_box(graph, link.before), _box(graph, link.after))
        cycle = around.get((link.before, link.after))
        kept = cycle is not None or link.kind is not LinkKind.NEEDS or ends in needed
        if ends in plain and kept and (ends not in done or cycle is not None):
            done.add(ends)
            yield _line(found, ends, link, cycle)


def _is_shown(graph: BootGraph, link: Link, around: dict[tuple[str, str], Cycle]) -> bool:
    """Turns are seen by the order from the top; leases and quorum are written into boxes."""
    if link.kind is LinkKind.AFTER and (link.before, link.after) not in around:
        return False
    return drawn_as(graph, link.before) is not None and drawn_as(graph, link.after) is not None


def _box(graph: BootGraph, part: str) -> str:
    return drawn_as(graph, part) or part


def _reduced(pairs: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """The same without what other lines show too: that there is a longer way round."""
    directed: nx.DiGraph[str] = nx.DiGraph()
    directed.add_edges_from(pair for pair in pairs if pair[0] != pair[1])
    for one, other in sorted(directed.edges):
        directed.remove_edge(one, other)
        if not nx.has_path(directed, one, other):
            directed.add_edge(one, other)
    return set(directed.edges)


def _line(found: Layout, ends: tuple[str, str], link: Link, cycle: Cycle | None) -> Line:
    one, other = found.boxes[ends[0]], found.boxes[ends[1]]
    if one.column < other.column:
        points = _forward(found, one, other)
        return Line(points, link.kind, cycle is not None, back=False)
    return Line(_back(found, one, other, cycle), link.kind, cycle is not None, back=True)


def _forward(found: Layout, one: Box, other: Box) -> tuple[Point, ...]:
    """Along the row of the one, up or down just before the other, and in."""
    if abs(one.middle - other.middle) < 0.01:
        return ((one.right, one.middle), (other.left, other.middle))
    turn = other.left - GAP + GAP * _share(found, one)
    return (
        (one.right, one.middle),
        (turn, one.middle),
        (turn, other.middle),
        (other.left, other.middle),
    )


def _share(found: Layout, one: Box) -> float:
    """Where in a gap a box's own trunk is, so that two that cross are told apart."""
    beside = [box for box in found.boxes.values() if box.column == one.column]
    place = sorted(box.middle for box in beside).index(one.middle)
    return 0.25 + 0.45 * (place % TRUNKS) / (TRUNKS - 1)


def _back(found: Layout, one: Box, other: Box, cycle: Cycle | None) -> tuple[Point, ...]:
    """Out to the right, over the other's lane, and in from the left: against the reading."""
    lane = next(lane for lane in found.lanes if lane.name == other.lane)
    above = above_boxes(lane, cycle)
    aside = 0.08 * lane.cycles.index(cycle) if cycle and cycle in lane.cycles else 0.0
    right, left = one.right + 0.16 + aside, other.left - 0.16 - aside
    return (
        (one.right, one.middle),
        (right, one.middle),
        (right, above),
        (left, above),
        (left, other.middle),
        (other.left, other.middle),
    )


def above_boxes(lane: Lane, cycle: Cycle | None) -> float:
    """The height at which a line runs back over a lane, each cycle at its own."""
    begins = lane.top + LANE_HEAD
    if cycle is not None and cycle in lane.cycles:
        return begins + CYCLE_HEAD * (lane.cycles.index(cycle) + 1) - 0.1
    return begins - BOX / 4
