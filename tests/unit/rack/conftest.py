"""Fixtures of the rack's fast tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from blackstart.rack import pki
from blackstart.rack.topology import PVE


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory in front of PATH."""
    directory = tmp_path / "bin"
    directory.mkdir()
    monkeypatch.setenv("PATH", f"{directory}:/usr/bin:/bin")
    return directory


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Keys and certificates of a rack."""
    directory = tmp_path_factory.mktemp("rack") / "secrets"
    pki.fill(directory, PVE)
    return directory
