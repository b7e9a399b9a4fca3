"""Fixtures of the driver tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from blackstart.drivers.proxmox_api import ProxmoxApi, Token
from blackstart.drivers.ssh import SshRunner

from . import sshd as server
from .tls_server import Authority, Server, serving


@pytest.fixture
def runner(sshd: server.Sshd) -> Iterator[SshRunner]:
    """A runner that knows that server as ``box``."""
    made = SshRunner({"box": sshd.target()})
    yield made
    made.close()


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """A CA of the site."""
    return Authority.make(tmp_path)


@pytest.fixture
def node(authority: Authority, tmp_path: Path) -> Iterator[Server]:
    """The API of the node pve1."""
    with serving(authority.issue(tmp_path, "127.0.0.1")) as server:
        yield server


@pytest.fixture
def api(node: Server, authority: Authority) -> Iterator[ProxmoxApi]:
    """A client of it."""
    token = Token("drill@pve", "t1", "0000")
    made = ProxmoxApi({"pve1": "127.0.0.1"}, token=token, ca=authority.ca, port=node.port)
    yield made
    made.close()
