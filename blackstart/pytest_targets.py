"""What a scenario is run on: everything in the inventory that opted in to its fault."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from blackstart.errors import Refusal
from blackstart.model.inventory import Inventory

TOUR_STAGE = pytest.StashKey[list[int]]()


def _nodes(inventory: Inventory, fault: str | None) -> list[str]:
    return [
        name for name, node in inventory.nodes.items() if fault is None or fault in node.may_break
    ]


def _guests(inventory: Inventory, fault: str | None) -> list[str]:
    return [
        name
        for name, guest in inventory.guests.items()
        if guest.running and (fault is None or fault in guest.may_break)
    ]


def _whole_site(inventory: Inventory, fault: str | None) -> list[str]:
    """The site itself, when every one of its nodes has opted in."""
    unwilling = set(inventory.nodes) - set(_nodes(inventory, fault))
    return [] if unwilling else [inventory.site]


Willing = Callable[[Inventory, str | None], list[str]]
FIXTURES: Mapping[str, tuple[Willing, str]] = {
    "node": (_nodes, "no node of the inventory has opted in to this fault (may_break)"),
    "willing_guest": (_guests, "no guest of the inventory has opted in to this fault (may_break)"),
    "whole_site": (_whole_site, "not every node has opted in to this fault (may_break)"),
}


def parametrize(metafunc: pytest.Metafunc, inventory: Callable[[], Inventory]) -> None:
    """One drill a target that opted in to its fault; with ``--tour`` one a scenario.

    Without any target one drill remains that says so: no targets is no pass.
    """
    marker = metafunc.definition.get_closest_marker("drill")
    wanted = [name for name in FIXTURES if name in metafunc.fixturenames]
    if marker is None or not wanted:
        return
    (fixture,) = wanted
    found: list[str | None] = [*FIXTURES[fixture][0](inventory(), marker.kwargs.get("fault"))]
    if metafunc.config.getoption("tour") and found:
        # Different faults visit different nodes, so that a tour sees all of the site.
        stage = metafunc.config.stash.setdefault(TOUR_STAGE, [0])
        found = [found[stage[0] % len(found)]]
        stage[0] += 1
    metafunc.parametrize(fixture, found or [None], indirect=True)


def _target(request: pytest.FixtureRequest) -> str:
    if request.param is None:
        raise Refusal([FIXTURES[str(request.fixturename)][1]])
    return str(request.param)


@pytest.fixture
def node(request: pytest.FixtureRequest) -> str:
    """The node to break."""
    return _target(request)


@pytest.fixture
def willing_guest(request: pytest.FixtureRequest) -> str:
    """The guest to break."""
    return _target(request)


@pytest.fixture
def whole_site(request: pytest.FixtureRequest) -> str:
    """The site, all of whose machines may be broken at once."""
    return _target(request)
