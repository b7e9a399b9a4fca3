"""A guest stops hard, as when somebody pulls its plug: is all of it there again once it runs?

The second drill is an owner's own surprise: after a hard stop Docker knew no container any
more. Data was there, restart policies meant nothing; only applying the definitions again
helped. A site passes when it does that by itself at boot.
"""

from __future__ import annotations

import pytest

from blackstart.drill import Drill
from blackstart.faults.guest_stop import stop_guest
from blackstart.invariants import everything_well

DOWN_S = 10


@pytest.mark.drill(fault="guest-stop", budget="8m")
def test_guest_stop(drill: Drill, willing_guest: str) -> None:
    """A guest that lost its power is whole again once it is started."""
    with drill.fault(stop_guest(willing_guest)):
        drill.recovers(*everything_well(drill.inventory))
        drill.hold(DOWN_S)


@pytest.mark.drill(fault="guest-stop", serving="compose", budget="10m")
def test_containers_lost(drill: Drill, willing_guest: str) -> None:
    """A site whose container records were lost in a hard stop redeploys them by itself."""
    projects = (
        name for name, item in drill.inventory.compose.items() if item.guest == willing_guest
    )
    with drill.fault(stop_guest(willing_guest, wipe=next(projects))):
        drill.recovers(*everything_well(drill.inventory))
        drill.hold(DOWN_S)
