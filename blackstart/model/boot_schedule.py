"""When each part of the boot graph is there: stages, instants, and what holds each up.

Instants are seconds since power is back. They rest on what earlier drills measured; where
nobody has measured yet, they are lower bounds, from declared delays alone.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from blackstart.model.boot_graph import SEEN, BootGraph, Link, LinkKind, Part, instant
from blackstart.model.observed import Record


class Own(Record):
    """Seconds from when a part has all that it waits for until it answers, and the drill."""

    seconds: float
    drill: str


class Expected(Record):
    """When a part is there. ``stage`` counts what it needs, one after the other.

    ``lower_bound`` is whether something that it waits for was never measured. ``held_by`` is
    what it waits for last.
    """

    part: str
    stage: int
    at_s: float
    lower_bound: bool
    held_by: str | None


class Stage(Record):
    """Parts that need as many others, one after the other, before them."""

    number: int
    parts: tuple[Expected, ...]


class Prediction(Record):
    """A graph, what is known of each part's own time, and which parts are probed."""

    graph: BootGraph
    own: Mapping[str, Own] = {}
    probed: frozenset[str] = frozenset()

    def expected(self, late: Mapping[str, float] | None = None) -> tuple[Expected, ...]:
        """Every part that starts, in order; ``late`` parts get their power so much later (s)."""
        return _Sweep(self, late or {}).expected()

    def stages(self, late: Mapping[str, float] | None = None) -> tuple[Stage, ...]:
        """Of what a person would miss: stage by stage, each counted from 1, in order of time."""
        found: dict[int, list[Expected]] = {}
        for item in self.expected(late):
            if self.graph.by_id[item.part].kind in SEEN:
                found.setdefault(item.stage, []).append(item)
        return tuple(
            Stage(number=number, parts=tuple(found[depth]))
            for number, depth in enumerate(sorted(found), 1)
        )


def own_times(graph: BootGraph, back_s: Mapping[str, float], drill: str) -> dict[str, Own]:
    """Of instants (s) at which parts came back in a drill: how long each took by itself."""
    sweep = _Sweep(Prediction(graph=graph), {}, fixed=back_s)
    sweep.expected()
    return {
        part: Own(seconds=round(max(0.0, back_s[part] - since), 3), drill=drill)
        for part, since in sweep.since.items()
        if part in back_s
    }


@dataclass
class _Sweep:
    """Goes through the graph in order of time, as Dijkstra does: a part that waits for some
    of several has them when the last that it needs is there, whatever the others do."""

    prediction: Prediction
    late: Mapping[str, float]
    fixed: Mapping[str, float] = field(default_factory=dict)
    since: dict[str, float] = field(default_factory=dict)
    """When each part had all that it waits for."""

    patient: bool = True
    """Turns are kept; at last not, where two nodes' orders of starts wait for each other."""

    @cached_property
    def starting(self) -> frozenset[str]:
        """Ids of the parts that start at all."""
        return self.prediction.graph.starting()

    def expected(self) -> tuple[Expected, ...]:
        graph = self.prediction.graph
        order = {part.id: place for place, part in enumerate(graph.parts)}
        leads_to: dict[str, list[str]] = {part: [] for part in self.starting}
        for part in self.starting:
            for link in self._waits(part):
                leads_to[link.before].append(part)
        there: dict[str, Expected] = {}
        queue: list[tuple[float, int, Expected]] = []
        queued: set[str] = set()

        def consider(part: str) -> None:
            found = self._of(graph.by_id[part], there) if part not in queued else None
            if found is not None:
                queued.add(part)
                heapq.heappush(queue, (found.at_s, order[part], found))

        for self.patient in (True, False):
            for part in sorted(self.starting - there.keys(), key=order.__getitem__):
                consider(part)
            while queue:
                _, _, found = heapq.heappop(queue)
                there[found.part] = found
                for part in leads_to[found.part]:
                    consider(part)
        return tuple(there.values())

    def _waits(self, part: str) -> list[Link]:
        """Whom a part really waits for: not for those that never come."""
        graph = self.prediction.graph
        links = graph.waits if self.patient else graph.needs
        return [link for link in links[part] if link.before in self.starting]

    def _of(self, part: Part, there: Mapping[str, Expected]) -> Expected | None:
        """What is to be said of a part; ``None`` while it still waits."""
        links = self._waits(part.id)
        met = [link for link in links if link.before in there]
        if len(met) < (len(links) if part.at_least is None else part.at_least):
            return None

        def at(link: Link) -> float:
            return there[link.before].at_s + link.delay_s

        since = instant(part, [at(link) for link in met])
        self.since[part.id] = since
        last = max(met, key=at, default=None)
        needed = [there[link.before] for link in met if link.kind is LinkKind.NEEDS]
        own = self.prediction.own.get(part.id)
        unmeasured = part.id in self.prediction.probed and own is None
        took = since + (own.seconds if own else 0.0) + self.late.get(part.id, 0.0)
        return Expected(
            part=part.id,
            stage=max((item.stage for item in needed), default=-1) + 1,
            at_s=max(took, self.fixed.get(part.id, 0.0)),
            lower_bound=unmeasured or any(there[link.before].lower_bound for link in met),
            held_by=last.before if last else None,
        )
