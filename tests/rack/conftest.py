"""Tests that need the rack: real machines that really lose their power (root or sudo)."""

from __future__ import annotations

from pathlib import Path

import pytest

HERE = Path(__file__).parent


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line("markers", "rack: needs the rack (several minutes, root or sudo)")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this directory needs the rack."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.rack)
