"""A part of MAAS is away for a while: who lives on without it, and who finds back?"""

from __future__ import annotations

import pytest

from blackstart.checking import longest_lease_s
from blackstart.drill import Drill
from blackstart.faults.service import DHCP, DNS, MAAS
from blackstart.faults.service_stop import stop_service
from blackstart.invariants import everything_well, others_resolve

MARGIN_S = 30.0
"""A lease that was renewed at the last moment has ended then, and its client has noticed."""
DNS_AWAY_S = 60.0
"""Longer than any client waits, and long enough to ask for every declared name."""


@pytest.mark.drill(fault="service-stop", serving="dhcp", budget="10m")
def test_dhcp_away_for_longer_than_a_lease(drill: Drill, willing_guest: str) -> None:
    """Every lease ends meanwhile; once DHCP is back, everybody is at the old address again."""
    with drill.fault(stop_service(willing_guest, *DHCP, *MAAS)):
        drill.recovers(*everything_well(drill.inventory))
        drill.hold(longest_lease_s(drill.before, willing_guest) + MARGIN_S)


@pytest.mark.drill(fault="service-stop", serving="dns", budget="8m")
def test_name_server_away(drill: Drill, willing_guest: str) -> None:
    """One name server is away: every other one answers every declared name meanwhile."""
    with drill.fault(stop_service(willing_guest, *DNS, *MAAS)):
        drill.recovers(*everything_well(drill.inventory), others_resolve())
        drill.hold(DNS_AWAY_S)
