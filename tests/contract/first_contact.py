"""Stand-in or recorded servers that remember what they were asked, and our commands at them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web

from blackstart.rack.standins.pve.forward import Forwarder
from blackstart.rack.standins.pve.server import make_app
from blackstart.rack.standins.pve.shipping import BLIND_TOKEN, FULL_TOKEN, blind_token_value
from tests.contract.pve_served import Served
from tests.contract.pve_site import LOOPBACK, SiteNode

ROOT = Path(__file__).parents[2]
BOUND_S = 240
Request = tuple[str, str, frozenset[str]]
"""Method, path below the API's root, and the names of the parameters."""


@dataclass
class Asked:
    """Every request that reached a node's API."""

    requests: list[Request] = field(default_factory=list)

    @property
    def methods(self) -> set[str]:
        return {method for method, _, _ in self.requests}


@contextmanager
def recorded(site: SiteNode) -> Iterator[tuple[Served, Asked]]:
    """The node's API over TLS, with a record of what it was asked."""
    asked = Asked()

    @web.middleware
    async def record(request: web.Request, handler: object) -> web.StreamResponse:
        path = request.path.removeprefix("/api2/json")
        asked.requests.append((request.method, path, frozenset(request.query)))
        assert callable(handler)
        answer: web.StreamResponse = await handler(request)
        return answer

    layout, name = site.node.layout, site.node.name

    def make(port: int) -> web.Application:
        app = make_app(site.node, Forwarder(layout.authority, port))
        app.middlewares.append(record)
        return app

    certificate = (layout.certificate(name), layout.key(name))
    with Served(make, LOOPBACK[name], certificate) as served:
        site.base_url = served.base_url
        yield served, asked


def full_token(secrets: Path) -> str:
    """The whole text of the token that may see all."""
    return f"{FULL_TOKEN}={(secrets / 'pve-token').read_text().strip()}"


def blind_token(secrets: Path) -> str:
    """That of the token that sees nothing."""
    return f"{BLIND_TOKEN}={blind_token_value(secrets)}"


def blackstart(
    home: Path, *words: str, token: str = "", **variables: str
) -> subprocess.CompletedProcess[str]:
    """Our command in a process of its own, as a person runs it, in the directory ``home``."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "NO_COLOR": "1", "COLUMNS": "200"}
    return subprocess.run(
        [sys.executable, "-m", "blackstart", *words],
        cwd=home,
        env=environment | {"PVE_TOKEN": token} | variables,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=BOUND_S,
        check=False,
    )
