"""Passing a call for another node on to it, as the vendor's proxy does.

The other node's certificate is verified against the cluster's CA and its name.
A dead node costs at most ``CONNECT_TIMEOUT_S`` and answers 595 with an empty body.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping
from pathlib import Path

import aiohttp
from aiohttp import web

from .access import CSRF_HEADER
from .errors import PEER_TLS, PeerUnreachable

CONNECT_TIMEOUT_S = 30
"""How long the vendor waits for a node that died just now."""
ANSWER_TIMEOUT_S = 90
FORWARDED = "PVEDisableProxy"
CERTIFICATE_VERIFY_FAILED = "error:0A000086:SSL routines::certificate verify failed"
_PASSED_ON = ("Authorization", "Cookie", "Content-Type", CSRF_HEADER)


class Forwarder:
    """Connections to the other nodes; ``port`` is the same on all of them."""

    def __init__(self, authority: Path, port: int) -> None:
        self._authority = authority
        self._port = port
        self._session: aiohttp.ClientSession | None = None

    async def open(self) -> None:
        """Load the CA; raises ``OSError`` or ``ssl.SSLError`` when that fails."""
        context = ssl.create_default_context(cafile=str(self._authority))
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=context),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(
                total=CONNECT_TIMEOUT_S + ANSWER_TIMEOUT_S, sock_connect=CONNECT_TIMEOUT_S
            ),
        )

    async def close(self) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()

    async def forward(self, name: str, address: str, request: web.Request) -> web.Response:
        """The other node's own answer; raises ``PeerUnreachable`` when there is none."""
        if self._session is None or FORWARDED in request.headers:
            raise PeerUnreachable("proxy loop detected")
        headers = _passed_on(request.headers) | {FORWARDED: "true"}
        url = f"https://{address}:{self._port}{request.rel_url}"
        try:
            async with self._session.request(
                request.method,
                url,
                headers=headers,
                data=await request.read(),
                server_hostname=name,
                allow_redirects=False,
            ) as answer:
                return web.Response(
                    status=answer.status,
                    reason=answer.reason,
                    body=await answer.read(),
                    headers={"Content-Type": answer.headers.get("Content-Type", "text/plain")},
                )
        except (aiohttp.ClientError, TimeoutError) as error:
            raise unreachable(error) from error


def _passed_on(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: headers[name] for name in _PASSED_ON if name in headers}


def unreachable(error: aiohttp.ClientError | TimeoutError) -> PeerUnreachable:
    """The answer for a failure to reach the other node, with the operating system's text."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return PeerUnreachable(CERTIFICATE_VERIFY_FAILED, PEER_TLS)
    if isinstance(error, aiohttp.ClientConnectorSSLError):
        return PeerUnreachable(str(error.os_error.strerror), PEER_TLS)
    if isinstance(error, aiohttp.ClientConnectorError):
        number = error.os_error.errno
        return PeerUnreachable(os.strerror(number) if number else "Connection refused")
    if isinstance(error, TimeoutError):
        return PeerUnreachable("Connection timed out")
    return PeerUnreachable("Connection reset by peer", PEER_TLS)
