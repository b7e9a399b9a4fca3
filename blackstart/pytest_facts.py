"""What checks are written against: the site's facts and its readiness, looked at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from blackstart.drivers.base import Site
from blackstart.errors import DriverError, Unproven
from blackstart.looking import FACTS, HOSTS, READINESS, look_at_all
from blackstart.model.facts import SiteFacts
from blackstart.model.host_boot import HostBootFacts
from blackstart.model.inventory import Inventory
from blackstart.model.proxmox_facts import ProxmoxFacts
from blackstart.model.readiness import Readiness


@pytest.fixture(scope="session")
def looks(site: Site) -> Mapping[str, Any]:
    """All looks at the site, each what it gave or a ``DriverError``."""
    return look_at_all(site)


@pytest.fixture(scope="session")
def facts(looks: Mapping[str, Any]) -> SiteFacts:
    """What the site is now."""
    found = looks[FACTS]
    if isinstance(found, DriverError):
        raise Unproven(f"the site could not be looked at: {found}")
    return SiteFacts.model_validate(found)


@pytest.fixture(scope="session")
def host_boots(looks: Mapping[str, Any]) -> Mapping[str, HostBootFacts]:
    """What each host says of its own next boot."""
    found: Mapping[str, HostBootFacts] | DriverError = looks[HOSTS]
    if isinstance(found, DriverError):
        raise Unproven(f"no host could be looked at: {found}")
    return found


@pytest.fixture(scope="session")
def readiness(looks: Mapping[str, Any]) -> Readiness:
    """What only checks ask of the site."""
    found = looks.get(READINESS, Readiness())
    if isinstance(found, DriverError):
        raise Unproven(f"the site could not be looked at: {found}")
    return Readiness.model_validate(found)


@pytest.fixture
def proxmox(readiness: Readiness, inventory: Inventory) -> ProxmoxFacts:
    """What the Proxmox VE API says, where the inventory declares one."""
    if inventory.proxmox is None:
        pytest.skip("the inventory declares no Proxmox VE")
    if readiness.proxmox is None:
        raise Unproven("nobody asked the Proxmox VE API")
    return readiness.proxmox
