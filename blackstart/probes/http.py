"""One HTTP request, through httpx: does the service give the declared status?

A connection a question, so that it shows what a new client would get; TLS is verified
and a redirect is an answer of its own, never followed.
"""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from blackstart.errors import UsageError
from blackstart.probes.base import Answer, down


def trust(ca: Path | None) -> ssl.SSLContext:
    """TLS verification against one CA file, or the machine's own store.

    Raises ``UsageError`` when the file cannot be read as certificates.
    """
    try:
        return ssl.create_default_context(cafile=None if ca is None else str(ca))
    except (OSError, ssl.SSLError) as error:
        raise UsageError(f"cannot use {ca} as a CA: {error}; give a PEM file") from error


@dataclass(slots=True)
class HttpProbe:
    """Whether GET ``url`` gives ``expect_status``. Only the head of the answer is read."""

    name: str
    subject: str
    url: str
    expect_status: int
    timeout_s: float
    tls: ssl.SSLContext
    kind: str = "http"
    max_rate_hz: float | None = None
    _client: httpx.AsyncClient | None = field(default=None, init=False)

    async def ask(self) -> Answer:
        """One GET. Raises ``ProbeBroken`` when this machine cannot ask."""
        try:
            async with asyncio.timeout(self.timeout_s):
                async with self._open().stream("GET", self.url) as response:
                    return self._compare(response)
        except TimeoutError:
            return Answer(False, f"no answer within {self.timeout_s:g} s")
        except httpx.HTTPError as error:
            return down(error)

    def _open(self) -> httpx.AsyncClient:
        if self._client is None:
            self._client = httpx.AsyncClient(
                verify=self.tls,
                trust_env=False,
                follow_redirects=False,
                timeout=None,  # noqa: S113 - asyncio.timeout bounds the whole question
                limits=httpx.Limits(max_keepalive_connections=0),
            )
        return self._client

    def _compare(self, response: httpx.Response) -> Answer:
        if response.status_code == self.expect_status:
            return Answer(True)
        return Answer(False, f"status {response.status_code} instead of {self.expect_status}")

    async def close(self) -> None:
        """Close the client. Safe to repeat."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()
