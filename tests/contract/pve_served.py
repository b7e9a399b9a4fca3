"""An application served over TLS on loopback, from a thread of its own."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from aiohttp import web

from blackstart.rack.standins.pve.forward import Forwarder
from blackstart.rack.standins.pve.server import make_app
from tests.contract.pve_site import BOOT_TIMEOUT_S, LOOPBACK, SiteNode


class Served:
    """An application served over TLS from a thread of its own; a context manager."""

    def __init__(
        self,
        make: Callable[[int], web.Application],
        address: str,
        certificate: tuple[Path, Path],
        port: int = 0,
    ) -> None:
        self._make = make
        self._address = address
        self._context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._context.load_cert_chain(*certificate)
        self.port = port
        self._loop = asyncio.new_event_loop()
        self._runner: web.AppRunner | None = None
        self._thread = threading.Thread(target=self._loop.run_forever)

    def __enter__(self) -> Served:
        self._thread.start()
        self._wait(self._open())
        return self

    def __exit__(self, *_exc: object) -> None:
        try:
            self._wait(self._close())
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(BOOT_TIMEOUT_S)
            self._loop.close()

    @property
    def base_url(self) -> str:
        return f"https://{self._address}:{self.port}"

    def _wait(self, work: Any) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(BOOT_TIMEOUT_S)

    async def _open(self) -> None:
        server = await self._loop.create_server(asyncio.Protocol, self._address, self.port)
        self.port = server.sockets[0].getsockname()[1]
        server.close()
        await server.wait_closed()
        self._runner = web.AppRunner(self._make(self.port), access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._address, self.port, ssl_context=self._context)
        await site.start()

    async def _close(self) -> None:
        if self._runner:
            await self._runner.cleanup()
        # TLS connections say goodbye before they close; asyncio has no public way to wait.
        async with asyncio.timeout(BOOT_TIMEOUT_S):
            while any(each._sock for each in self._loop._transports.values()):  # type: ignore[attr-defined]
                await asyncio.sleep(0.01)


def served(site: SiteNode, port: int = 0) -> Served:
    """The node's API, on its loopback address."""
    layout = site.node.layout
    name = site.node.name
    return Served(
        lambda chosen: make_app(site.node, Forwarder(layout.authority, chosen)),
        LOOPBACK[name],
        (layout.certificate(name), layout.key(name)),
        port,
    )
