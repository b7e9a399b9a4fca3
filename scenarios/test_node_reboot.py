"""A hypervisor goes down and comes back: do its guests, by themselves, in time?"""

from __future__ import annotations

import pytest

from blackstart.drill import Drill
from blackstart.faults.reboot import power_cut, reboot
from blackstart.invariants import everything_well


@pytest.mark.drill(fault="reboot", budget="8m")
def test_node_reboot(drill: Drill, node: str) -> None:
    """Every guest of a rebooted hypervisor is back, in time, at its old address."""
    with drill.fault(reboot(node)):
        drill.recovers(*everything_well(drill.inventory))


@pytest.mark.drill(fault="power-cut", budget="8m")
def test_power_cut(drill: Drill, node: str) -> None:
    """The same when nobody asked the hypervisor first: its power is cut."""
    with drill.fault(power_cut(node)):
        drill.recovers(*everything_well(drill.inventory))
