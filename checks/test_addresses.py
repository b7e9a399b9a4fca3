"""Does every guest come back at its address, and does everybody say the same of it?

The whole table: ``blackstart addresses --inventory FILE``.
"""

from __future__ import annotations

import pytest

from blackstart.checking import addresses_are_well
from blackstart.model.facts import SiteFacts
from blackstart.model.inventory import Inventory

pytestmark = pytest.mark.check


@pytest.fixture
def with_maas(inventory: Inventory) -> None:
    """Only a site that declares MAAS says who its DHCP server is."""
    if inventory.maas is None:
        pytest.skip("the inventory declares no MAAS")


@pytest.mark.claim(severity="critical", breaks="address", incident="2025-07-27-addresses-moved")
def test_every_source_agrees(guest: str, facts: SiteFacts, inventory: Inventory) -> None:
    """A guest whose certificate or DNS record is for another address is up and not reached."""
    addresses_are_well(inventory, facts, "disagrees", guest)


@pytest.mark.claim(severity="critical", breaks="address", incident="2025-07-27-addresses-moved")
def test_address_outlives_a_dhcp_restart(
    guest: str, facts: SiteFacts, inventory: Inventory
) -> None:
    """Dynamic host entries are gone at MAAS' next start of dhcpd (outage of July 2025)."""
    addresses_are_well(inventory, facts, "moves", guest)


@pytest.mark.claim(severity="critical", breaks="address")
@pytest.mark.usefixtures("with_maas")
def test_no_declared_address_is_in_a_dynamic_range(facts: SiteFacts, inventory: Inventory) -> None:
    """dhcpd gives it to somebody else as soon as its owner is off (dhcpd.conf(5), range)."""
    addresses_are_well(inventory, facts, "in a range")


@pytest.mark.claim(severity="warning", breaks="address")
@pytest.mark.usefixtures("with_maas")
def test_no_record_is_left_over(facts: SiteFacts, inventory: Inventory) -> None:
    """A reservation or DNS record of nobody sends people, or its address, astray."""
    addresses_are_well(inventory, facts, "orphan")


@pytest.mark.claim(severity="warning", breaks="redundancy", incident="2025-07-29-maas-killed")
@pytest.mark.usefixtures("with_maas")
def test_dhcp_has_a_second_server(facts: SiteFacts, inventory: Inventory) -> None:
    """With one, every lease that ends while it is away is an outage (July 2025, MAAS killed)."""
    addresses_are_well(inventory, facts, "one server")
