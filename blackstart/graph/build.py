"""From inventory and facts to the boot graph."""

from __future__ import annotations

from blackstart.graph.growing import Growing
from blackstart.graph.guests import add_guests
from blackstart.graph.hosts import add_hosts
from blackstart.graph.inputs import BootInputs
from blackstart.graph.served import add_served
from blackstart.model.boot_graph import BootGraph


def boot_graph(given: BootInputs) -> BootGraph:
    """What waits for what after a cold start of the whole site, each link with its evidence.

    A pure function. What could not be seen is in ``unknown``, never left out.
    """
    grow = Growing(given)
    add_hosts(grow)
    add_guests(grow)
    add_served(grow)
    return grow.whole()
