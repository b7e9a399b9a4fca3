"""A Proxmox VE stand-in on loopback, on its own or as a cluster of two."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.pve_client import Api, login
from tests.contract.pve_schema import ABSENT, SCHEMA_FILE, Schema, load_schema
from tests.contract.pve_served import Served, served
from tests.contract.pve_site import SiteNode, make_secrets, make_site_node


@pytest.fixture(scope="session")
def pve_secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Keys, certificates and passwords as a rack has them, for loopback addresses."""
    return make_secrets(tmp_path_factory.mktemp("pve"))


@pytest.fixture
def site(tmp_path: Path, pve_secrets: Path) -> SiteNode:
    """One node on its own, with the store ``local`` and the bridge ``vmbr0``."""
    return make_site_node(tmp_path / "pve1", "pve1", pve_secrets)


@pytest.fixture
def server(site: SiteNode) -> Iterator[Served]:
    """The node's API, served over TLS."""
    with served(site) as server:
        site.base_url = server.base_url
        yield server


@pytest.fixture
def api(site: SiteNode, server: Served, pve_secrets: Path) -> Iterator[Api]:
    """The node's API as root@pam."""
    with login(server.base_url, pve_secrets) as api:
        yield api


@pytest.fixture(scope="session")
def vendor() -> dict[tuple[str, str], Schema]:
    """The vendor's API schema; skips where it is absent."""
    if not SCHEMA_FILE.exists():
        pytest.skip(ABSENT)
    return load_schema()
