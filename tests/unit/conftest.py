"""Fixtures of several rooms."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from .drivers import sshd as server


@pytest.fixture
def sshd(tmp_path: Path) -> Iterator[server.Sshd]:
    """A real sshd on loopback."""
    if server.SSHD is None:
        pytest.skip("no sshd on this machine: install openssh-server")
    with server.running(tmp_path) as running:
        yield running
