"""What checks are written against: the site's facts and its readiness, looked at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from blackstart.drivers.base import Site
from blackstart.drivers.bounded import gather
from blackstart.errors import DriverError, Unproven
from blackstart.model.facts import SiteFacts
from blackstart.model.host_boot import HostBootFacts
from blackstart.model.inventory import Inventory
from blackstart.model.proxmox_facts import ProxmoxFacts
from blackstart.model.readiness import Readiness

LOOK_S = 75.0
"""Longer than either look bounds itself to: this is for what does not keep its bound."""


@pytest.fixture(scope="session")
def looks(site: Site) -> Mapping[str, Any]:
    """All looks at the site, taken side by side: none waits for what hangs in another.

    The rack's emulated processors are asked for one after the other: three at once ran into
    their own bounds there.
    """
    calls: dict[str, Callable[[], Any]] = {"facts": site.facts, "hosts": site.host_boots}
    if site.readiness is not None:
        calls["readiness"] = site.readiness
    at_once = 1 if site.inventory.rack is not None else len(calls)
    return gather(calls, workers=at_once, timeout_s=LOOK_S * len(calls) / at_once)


@pytest.fixture(scope="session")
def facts(looks: Mapping[str, Any]) -> SiteFacts:
    """What the site is now."""
    found = looks["facts"]
    if isinstance(found, DriverError):
        raise Unproven(f"the site could not be looked at: {found}")
    return SiteFacts.model_validate(found)


@pytest.fixture(scope="session")
def host_boots(looks: Mapping[str, Any]) -> Mapping[str, HostBootFacts]:
    """What each host says of its own next boot."""
    found: Mapping[str, HostBootFacts] | DriverError = looks["hosts"]
    if isinstance(found, DriverError):
        raise Unproven(f"no host could be looked at: {found}")
    return found


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
