"""MAAS restarts, in four ways: does every guest get its old address again when it asks?

At each start of its DHCP server MAAS throws away every host entry that was made at run time
(outage of July 2025). Nobody notices until a client asks, so here every client is made to ask
that has opted in to it (``lease-renewal``); ``blackstart addresses`` says before who would move.
"""

from __future__ import annotations

import pytest

from blackstart.drill import Drill
from blackstart.faults.guest_reboot import reboot_guest
from blackstart.faults.lease_renewal import everyone_renews, renew_lease
from blackstart.faults.service import DHCP, DNS, MAAS, restart_service
from blackstart.invariants import everything_well


@pytest.mark.drill(fault="service-restart", serving="maas", budget="10m")
def test_maas_restart(drill: Drill, willing_guest: str) -> None:
    """All of MAAS is restarted: regions, racks, DHCP and DNS."""
    renewals = everyone_renews(drill.inventory)
    with drill.fault(restart_service(willing_guest, *MAAS), *renewals):
        drill.recovers(*everything_well(drill.inventory))


@pytest.mark.drill(fault="guest-reboot", serving="maas", budget="12m")
def test_maas_guest_reboot(drill: Drill, willing_guest: str) -> None:
    """The guest that MAAS runs in is rebooted by its hypervisor."""
    renewals = everyone_renews(drill.inventory)
    with drill.fault(reboot_guest(willing_guest), *renewals):
        drill.recovers(*everything_well(drill.inventory))


@pytest.mark.drill(fault="service-restart", serving="dhcp", budget="10m")
def test_dhcp_restart(drill: Drill, willing_guest: str) -> None:
    """DHCP host entries are purged, then every guest renews: only MAAS' dhcpd is restarted."""
    renewals = everyone_renews(drill.inventory)
    with drill.fault(restart_service(willing_guest, *DHCP, *MAAS), *renewals):
        drill.recovers(*everything_well(drill.inventory))


@pytest.mark.drill(fault="service-restart", serving="dns", budget="10m")
def test_dns_restart(drill: Drill, willing_guest: str) -> None:
    """Only a name server is restarted: every name resolves again, and leases go on."""
    renewals = everyone_renews(drill.inventory)
    with drill.fault(restart_service(willing_guest, *DNS, *MAAS), *renewals):
        drill.recovers(*everything_well(drill.inventory))


@pytest.mark.drill(fault="lease-renewal", budget="6m")
def test_lease_renewal(drill: Drill, willing_guest: str) -> None:
    """A real client really asks: that a server offers has given nobody an address yet."""
    with drill.fault(renew_lease(willing_guest)):
        drill.recovers(*everything_well(drill.inventory))
