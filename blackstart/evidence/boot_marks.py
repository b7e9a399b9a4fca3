"""What is written into the boxes of the boot graph's picture."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from blackstart.evidence.boot_layout import SERVED, drawn_as
from blackstart.evidence.boot_words import by_when
from blackstart.graph.cycles import stuck
from blackstart.graph.outlook import Outlook
from blackstart.model.boot_graph import BootGraph, LinkKind, Part, PartKind
from blackstart.model.boot_schedule import Expected
from blackstart.model.quantities import format_duration


@dataclass(frozen=True, slots=True)
class Marks:
    """Text at the left and the right of each box, and which boxes stand out."""

    left: Mapping[str, str]
    right: Mapping[str, str]
    never: frozenset[str]
    cyclic: frozenset[str]
    unknown: frozenset[str]


def marks_of(told: Outlook) -> Marks:
    """Everything that is written."""
    graph = told.graph
    when = {item.part: item for item in told.prediction.expected()}
    return Marks(
        left={part.id: _left(part) for part in graph.parts},
        right={part.id: _right(graph, part, when) for part in graph.parts},
        never=stuck(graph),
        cyclic=_boxes(graph, (part for cycle in told.cycles for part in cycle.parts)),
        unknown=_boxes(graph, (gap.part for gap in graph.unknown if gap.part in graph.by_id)),
    )


def _boxes(graph: BootGraph, parts: Iterable[str]) -> frozenset[str]:
    return frozenset(box for part in parts if (box := drawn_as(graph, part)) is not None)


def _left(part: Part) -> str:
    if part.kind in SERVED or part.kind is PartKind.STORE:
        return f"{part.kind} {part.label}"
    return part.label


def _right(graph: BootGraph, part: Part, when: Mapping[str, Expected]) -> str:
    """A guest's pause and lease, a boot's quorum, and when a part is there if that is known."""
    words: list[str] = []
    if part.kind is PartKind.GUEST:
        start = f"{PartKind.START}/{part.guest}"
        words += [
            f"then {format_duration(link.delay_s)}"
            for link in graph.links
            if link.kind is LinkKind.AFTER and link.before == start and link.delay_s
        ]
    needed = {graph.by_id[link.before].kind for link in graph.needs[part.id]}
    words += [str(kind) for kind in (PartKind.LEASE, PartKind.QUORUM) if kind in needed]
    item = when.get(part.id)
    if item is not None and part.kind is not PartKind.STORE:
        words.append(by_when(item))
    return " · ".join(filter(None, words))
