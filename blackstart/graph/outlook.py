"""Everything that follows from a boot graph, put together, and what it decides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from blackstart.graph.cycles import Cycle, cycles, stuck
from blackstart.graph.failures import Failure, Shared, failures, shared
from blackstart.graph.predicting import critical_path, predict
from blackstart.model.boot_graph import SEEN, BootGraph
from blackstart.model.boot_schedule import Expected, Prediction
from blackstart.model.inventory import Inventory
from blackstart.model.observed import Record
from blackstart.model.redundancy import groups
from blackstart.model.verdict import Verdict


class Outlook(Record):
    """What a cold start of a site would be like.

    ``never`` are ids of what a person would miss and that would not start by itself.
    """

    prediction: Prediction
    cycles: tuple[Cycle, ...]
    never: tuple[str, ...]
    path: tuple[Expected, ...]
    failures: tuple[Failure, ...]
    pairs: tuple[Shared, ...]

    @property
    def graph(self) -> BootGraph:
        """The graph it follows from."""
        return self.prediction.graph

    @property
    def verdict(self) -> Verdict:
        """Fail when something would not start, unproven when not all could be seen."""
        if self.cycles or self.never:
            return Verdict.FAIL
        if self.graph.unknown or not self.path:
            return Verdict.UNPROVEN
        return Verdict.PASS


def outlook(
    graph: BootGraph,
    inventory: Inventory,
    measured: Sequence[tuple[str, Mapping[str, float]]] = (),
) -> Outlook:
    """What follows from a graph; ``measured`` as ``predict`` takes it."""
    prediction = predict(graph, inventory, measured)
    declared = groups(inventory)
    waiting = stuck(graph)
    return Outlook(
        prediction=prediction,
        cycles=cycles(graph),
        never=tuple(x.id for x in graph.parts if x.id in waiting and x.kind in SEEN),
        path=critical_path(prediction.expected()),
        failures=failures(graph, declared),
        pairs=shared(graph, declared),
    )
