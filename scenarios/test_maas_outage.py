"""A part of MAAS is away for a while: who lives on without it, and who finds back?"""

from __future__ import annotations

import pytest

from blackstart.drill import Drill
from blackstart.errors import Unproven
from blackstart.faults.service import DHCP, DNS, MAAS
from blackstart.faults.service_stop import stop_service
from blackstart.invariants import everything_well, others_resolve
from blackstart.model.facts import SiteFacts
from blackstart.model.quantities import format_duration

MARGIN_S = 30.0
"""A lease that was renewed at the last moment has ended then, and its client has noticed."""
DNS_AWAY_S = 60.0
"""Longer than any client waits, and long enough to ask for every declared name."""
LONGEST_HOLD_S = 3600.0
"""An owner who gives leases for a day is told so, and not kept without DHCP for as long."""


def lease_s(facts: SiteFacts, guest: str) -> float:
    """The longest lease that the DHCP server of a guest gives. Raises ``Unproven``."""
    if guest not in facts.dhcp:
        raise Unproven(f"how long a lease of {guest} is was not looked at")
    seen = facts.dhcp[guest].lease_s
    if seen.value is None:
        raise Unproven(f"how long a lease is cannot be seen: {seen.error} ({seen.source})")
    if seen.value + MARGIN_S > LONGEST_HOLD_S:
        raise Unproven(
            f"a lease lasts {format_duration(seen.value)} ({seen.source}), and DHCP is held away "
            f"for {format_duration(LONGEST_HOLD_S)} at most"
        )
    return float(seen.value)


@pytest.mark.drill(fault="service-stop", serving="dhcp", budget="10m")
def test_dhcp_away_for_longer_than_a_lease(drill: Drill, willing_guest: str) -> None:
    """Every lease ends meanwhile; once DHCP is back, everybody is at the old address again."""
    with drill.fault(stop_service(willing_guest, *DHCP, *MAAS)):
        drill.recovers(*everything_well(drill.inventory))
        drill.hold(lease_s(drill.before, willing_guest) + MARGIN_S)


@pytest.mark.drill(fault="service-stop", serving="dns", budget="8m")
def test_name_server_away(drill: Drill, willing_guest: str) -> None:
    """One name server is away: every other one answers every declared name meanwhile."""
    with drill.fault(stop_service(willing_guest, *DNS, *MAAS)):
        drill.recovers(*everything_well(drill.inventory), others_resolve())
        drill.hold(DNS_AWAY_S)
