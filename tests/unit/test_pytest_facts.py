"""The two looks at a site: side by side, and one that fails leaves the other."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

import pytest

from blackstart import pytest_facts
from blackstart.drivers.base import Site
from blackstart.errors import TimedOut, Unproven
from blackstart.model.readiness import Readiness
from tests.simulation.drivers import site_of
from tests.simulation.inventories import small_site
from tests.simulation.world import Lies, World

from . import proxmox_site as well


def fixture(name: str, *given: Any) -> Any:
    """What a fixture of the plugin gives."""
    return getattr(pytest_facts, name)._get_wrapped_function()(*given)


def simulated() -> Site:
    return site_of(World(small_site(), Lies()))


def test_both_are_looked_at_side_by_side() -> None:
    both = threading.Barrier(2, timeout=20)
    site = simulated()
    snapshot = site.facts()

    def facts() -> Any:
        both.wait()
        return snapshot

    def ready() -> Readiness:
        both.wait()
        return well.readiness()

    looks = fixture("looks", replace(site, facts=facts, readiness=ready))
    assert fixture("facts", looks) == snapshot
    assert fixture("readiness", looks) == well.readiness()


def test_one_that_fails_leaves_the_other() -> None:
    def late() -> Readiness:
        raise TimedOut("no answer within 42 s")

    looks = fixture("looks", replace(simulated(), readiness=late))
    assert fixture("facts", looks).hosts
    with pytest.raises(Unproven, match="no answer within 42 s"):
        fixture("readiness", looks)


def test_a_site_that_could_not_be_looked_at_is_unproven() -> None:
    with pytest.raises(Unproven, match="the site could not be looked at: no route"):
        fixture("facts", {"facts": TimedOut("no route")})


def test_a_site_that_nobody_asks_is_unproven_and_one_without_the_api_is_skipped() -> None:
    looks = fixture("looks", replace(simulated(), readiness=None))
    nothing = fixture("readiness", looks)
    with pytest.raises(Unproven, match="nobody asked the Proxmox VE API"):
        fixture("proxmox", nothing, well.inventory())
    with pytest.raises(pytest.skip.Exception, match="declares no Proxmox VE"):
        fixture("proxmox", nothing, well.inventory(proxmox=None))
    assert fixture("proxmox", well.readiness(), well.inventory()) == well.cluster()
