"""What checks are written against: the site's facts and its readiness, looked at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from blackstart.drivers.base import Site
from blackstart.drivers.bounded import gather
from blackstart.errors import DriverError, Unproven
from blackstart.model.facts import SiteFacts
from blackstart.model.inventory import Inventory
from blackstart.model.proxmox_facts import ProxmoxFacts
from blackstart.model.readiness import Readiness

LOOK_S = 75.0
"""Longer than either look bounds itself to: this is for what does not keep its bound."""


@pytest.fixture(scope="session")
def looks(site: Site) -> Mapping[str, Any]:
    """Both looks at the site, taken side by side: neither waits for what hangs in the other."""
    calls: dict[str, Callable[[], Any]] = {"facts": site.facts}
    if site.readiness is not None:
        calls["readiness"] = site.readiness
    return gather(calls, workers=len(calls), timeout_s=LOOK_S)


@pytest.fixture(scope="session")
def facts(looks: Mapping[str, Any]) -> SiteFacts:
    """What the site is now."""
    found = looks["facts"]
    if isinstance(found, DriverError):
        raise Unproven(f"the site could not be looked at: {found}")
    return SiteFacts.model_validate(found)


@pytest.fixture(scope="session")
def readiness(looks: Mapping[str, Any]) -> Readiness:
    """What only checks ask of the site."""
    found = looks.get("readiness", Readiness())
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
