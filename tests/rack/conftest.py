"""Tests that need the rack: real machines that really lose their power (root or sudo)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.rack.command import COLD_S, rack, status

HERE = Path(__file__).parent
LIMIT_S = 900
"""Seconds a test may take: the first one brings the rack up, with the build of its image."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options of what is many and takes long: it is dealt out, and goes on where it was."""
    group = parser.getgroup("kill sweep", "the harness dies at every step (test_kill_sweep.py)")
    group.addoption(
        "--shard", metavar="N/M", default="1/1", help="the Nth of M parts of all points, or drifts"
    )
    group.addoption("--again", action="store_true", help="also what was good before")
    group.addoption(
        "--kill-sweep",
        metavar="DIR",
        default="reports/kill-sweep",
        help="where results lie, one file a point (default: %(default)s)",
    )
    group = parser.getgroup("incidents", "past outages are replayed (test_incidents.py)")
    group.addoption(
        "--incidents",
        metavar="DIR",
        default="reports/incidents",
        help="where records lie, one file a drift (default: %(default)s)",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Make the markers known."""
    config.addinivalue_line("markers", "rack: needs the rack (several minutes, root or sudo)")
    config.addinivalue_line("markers", "incident: a past outage, replayed (within an hour, all)")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this directory needs the rack, and time."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.rack)
            if item.get_closest_marker("timeout") is None:
                item.add_marker(pytest.mark.timeout(LIMIT_S))


@pytest.fixture(scope="session", autouse=True)
def rack_is_up() -> Iterator[None]:
    """The rack is up; one that was brought up here goes down again."""
    was_up = status()["up"]
    rack("up", timeout=COLD_S)
    yield
    if not was_up:
        rack("down")
