"""A service restarts: does everybody who needs it find it again?

A drill here is for targets that serve what it restarts (``serving``); what the inventory
declares nothing of is skipped. What MAAS serves is in ``test_maas_restart.py``.
"""

from __future__ import annotations

import pytest

from blackstart.drill import Drill
from blackstart.faults.service import COROSYNC, DOCKER, LIBVIRT, restart_service
from blackstart.invariants import everything_well


@pytest.mark.drill(fault="service-restart", serving="compose", budget="5m")
def test_docker_restart(drill: Drill, willing_guest: str) -> None:
    """Every container runs again, by its restart policy, after its engine was restarted."""
    with drill.fault(restart_service(willing_guest, *DOCKER)):
        drill.recovers(*everything_well(drill.inventory))


@pytest.mark.drill(fault="service-restart", serving="corosync", budget="3m")
def test_corosync_restart(drill: Drill, node: str) -> None:
    """The cluster is quorate again after corosync was restarted on one node."""
    with drill.fault(restart_service(node, *COROSYNC)):
        drill.recovers(*everything_well(drill.inventory))


@pytest.mark.drill(fault="service-restart", serving="libvirt", budget="3m")
def test_libvirt_restart(drill: Drill, node: str) -> None:
    """Guests run on while libvirt is restarted under them."""
    with drill.fault(restart_service(node, *LIBVIRT)):
        drill.recovers(*everything_well(drill.inventory))
