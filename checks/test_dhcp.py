"""Does the declared DHCP server offer addresses, and nobody else beside it?"""

from __future__ import annotations

import pytest

from blackstart.checking import expect, known
from blackstart.errors import Unproven
from blackstart.model.facts import Observed, SiteFacts
from blackstart.model.inventory import Inventory

pytestmark = pytest.mark.check


def _offers(facts: SiteFacts, interface: str) -> Observed[tuple[str, ...]]:
    if interface not in facts.offers:
        raise Unproven(f"nobody asked for DHCP on {interface}")
    return facts.offers[interface]


@pytest.mark.claim(severity="critical", breaks="address")
def test_dhcp_server_offers(dhcp_server: str, facts: SiteFacts, inventory: Inventory) -> None:
    """Without it every guest loses its address when its lease ends."""
    declared = inventory.dhcp[dhcp_server]
    offers = _offers(facts, declared.interface)
    expect(
        str(declared.address) in known(offers),
        f"{dhcp_server} ({declared.address}) offers no address",
        evidence=offers.source,
        fix="look whether it runs, and whether its pool is full",
        touches=(declared.guest,) if declared.guest else (),
    )


@pytest.mark.claim(severity="critical", breaks="address")
def test_nobody_else_offers(dhcp_server: str, facts: SiteFacts, inventory: Inventory) -> None:
    """A second server that does not know of the first moves whoever takes its offer."""
    interface = inventory.dhcp[dhcp_server].interface
    servers = inventory.dhcp.values()
    declared = {str(item.address) for item in servers if item.interface == interface}
    offers = _offers(facts, interface)
    strangers = sorted({*known(offers)} - declared)
    expect(
        not strangers,
        f"{', '.join(strangers)} offers addresses too",
        evidence=offers.source,
        fix="switch its DHCP off, or declare it in dhcp of the inventory",
    )
