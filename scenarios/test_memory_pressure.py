"""Memory runs short: does a guest that the kernel kills come back whole, and is nothing else lost?

The fault is a hypervisor's own outage: something eats its memory until the kernel's OOM killer
takes the biggest process, a guest. Nobody starts such a guest by itself; in the drill the
undo does, and the report says so. What is proven is that it comes back whole.
"""

from __future__ import annotations

import pytest

from blackstart.drill import Drill
from blackstart.faults.memory import memory_share, memory_until_oom
from blackstart.invariants import everything_well

SHORT_S = 10
"""With a guest killed and its memory filled up again nothing more is to be learnt."""
PRESSED_S = 30
"""Long enough for caches to be dropped and read again."""


@pytest.mark.drill(fault="memory", budget="8m")
def test_memory_until_oom(drill: Drill, node: str) -> None:
    """A guest that the kernel killed for want of memory is whole again once it is started."""
    with drill.fault(memory_until_oom(node)):
        drill.recovers(*everything_well(drill.inventory))
        drill.hold(SHORT_S)


@pytest.mark.drill(fault="memory", budget="5m")
def test_memory_share_of_a_node(drill: Drill, node: str) -> None:
    """With four fifths of a hypervisor's memory in use, everything on it goes on."""
    with drill.fault(memory_share(node, "80%")):
        drill.recovers(*everything_well(drill.inventory))
        drill.hold(PRESSED_S)


@pytest.mark.drill(fault="memory", budget="5m")
def test_memory_share_of_a_guest(drill: Drill, willing_guest: str) -> None:
    """With four fifths of a guest's memory in use, its services go on."""
    with drill.fault(memory_share(willing_guest, "80%")):
        drill.recovers(*everything_well(drill.inventory))
        drill.hold(PRESSED_S)
