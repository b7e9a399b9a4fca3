"""Fixtures of the driver tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from blackstart.drivers.ssh import SshRunner

from . import sshd as server


@pytest.fixture
def sshd(tmp_path: Path) -> Iterator[server.Sshd]:
    """A real sshd on loopback."""
    if server.SSHD is None:
        pytest.skip("no sshd on this machine: install openssh-server")
    with server.running(tmp_path) as running:
        yield running


@pytest.fixture
def runner(sshd: server.Sshd) -> Iterator[SshRunner]:
    """A runner that knows that server as ``box``."""
    made = SshRunner({"box": sshd.target()})
    yield made
    made.close()
