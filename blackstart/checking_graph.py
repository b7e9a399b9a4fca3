"""What checks of the boot graph are written with."""

from __future__ import annotations

from blackstart.errors import Unproven
from blackstart.model.boot_graph import BootGraph


def all_seen(graph: BootGraph, parts: frozenset[str]) -> None:
    """Raises ``Unproven`` when something about these parts could not be seen."""
    gaps = [str(gap) for gap in graph.unknown if gap.part in parts]
    if gaps:
        raise Unproven("; ".join(gaps))
