"""From a graph and what earlier drills measured to a prediction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from blackstart.model.boot_graph import BootGraph
from blackstart.model.boot_schedule import Expected, Own, Prediction, own_times
from blackstart.model.inventory import Inventory
from blackstart.model.subjects import subjects_of


def predict(
    graph: BootGraph, inventory: Inventory, measured: Sequence[tuple[str, Mapping[str, float]]]
) -> Prediction:
    """When everything would be back after a cold start.

    ``measured`` holds drills by their ids, the most telling first: when each subject came back
    in it, in seconds. A part's own time is taken from the first drill in which it fell.
    """
    own: dict[str, Own] = {}
    for drill, back_s in measured:
        own = own_times(graph, back_s, drill) | own
    probed = frozenset(item.name for item in subjects_of(inventory))
    return Prediction(graph=graph, own=own, probed=probed)


def critical_path(expected: Sequence[Expected]) -> tuple[Expected, ...]:
    """What holds up whatever comes last, from the power on; empty when nothing starts."""
    by_part = {item.part: item for item in expected}
    last = max(expected, key=lambda item: (item.at_s, item.stage), default=None)
    path: list[Expected] = []
    while last is not None:
        path.append(last)
        last = by_part[last.held_by] if last.held_by is not None else None
    return tuple(reversed(path))
