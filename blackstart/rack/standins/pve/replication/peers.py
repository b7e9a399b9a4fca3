"""Connections between the nodes' cluster file systems."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ..errors import Died
from .corosync import ClusterNode
from .exchange import Exchange
from .frames import (
    MESSAGE_TIMEOUT_S,
    Channel,
    ProtocolError,
    client_context,
    proof,
    server_context,
)

PERIOD_S = 2
"""An exchange at least this often, and at once after a local change."""
RETRY_S = 1
IDLE_TIMEOUT_S = 10
CONNECT_TIMEOUT_S = 5
_FAILURES = (
    OSError,
    EOFError,
    TimeoutError,
    ProtocolError,
    Died,
    ValueError,
    KeyError,
    TypeError,
)
"""Whatever the network, a full disk or a wrong message can cause: said, and tried again."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """This node's name, certificate and key, the cluster's CA, and corosync's key."""

    node: str
    certificate: Path
    key: Path
    authority: Path
    authkey: Path


class Listener:
    """Answers the other nodes."""

    def __init__(
        self, peers: tuple[ClusterNode, ...], credentials: Credentials, exchange: Exchange
    ) -> None:
        self._peers = {peer.name for peer in peers}
        self._credentials = credentials
        self._exchange = exchange
        self._server: asyncio.Server | None = None

    async def open(self, address: str, port: int) -> None:
        """Begin to listen; raises ``OSError`` (a TLS file that cannot be used is one)."""
        context = server_context(self._credentials.certificate, self._credentials.key)
        self._server = await asyncio.start_server(self._serve, address, port, ssl=context)

    async def close(self) -> None:
        """Stop listening."""
        if self._server:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        channel = Channel(reader, writer)
        try:
            peer = await self._authenticate(channel)
            while True:
                question = await channel.receive(IDLE_TIMEOUT_S)
                await self._exchange.answer(channel, peer, question)
        except _FAILURES as error:
            if not isinstance(error, EOFError):
                print(f"connection from another node ends: {error!r}", flush=True)
        finally:
            await channel.close()

    async def _authenticate(self, channel: Channel) -> str:
        nonce = secrets.token_hex(16)
        await channel.send({"nonce": nonce})
        hello = await channel.receive()
        name = str(hello["node"])
        expected = proof(self._credentials.authkey.read_bytes(), nonce, name)
        if name not in self._peers or not hmac.compare_digest(expected, str(hello["proof"])):
            raise ProtocolError(f"{name!r} is no member of this cluster")
        await channel.send({"welcome": self._credentials.node})
        return name


class Caller:
    """Asks one other node again and again."""

    def __init__(
        self,
        peer: ClusterNode,
        port: int,
        credentials: Credentials,
        exchange: Exchange,
        heard: Callable[[str], None],
    ) -> None:
        self._peer = peer
        self._port = port
        self._credentials = credentials
        self._exchange = exchange
        self._heard = heard
        self._changed = asyncio.Event()

    def wake(self) -> None:
        """There is something new: ask now."""
        self._changed.set()

    async def run(self) -> None:
        """Connect, and again whenever the connection ends; until cancelled."""
        said = ""
        while True:
            try:
                await self._talk()
            except _FAILURES as error:
                if repr(error) != said:  # not once a second for as long as a node is down
                    said = repr(error)
                    print(f"{self._peer.name}: {said}", flush=True)
            await asyncio.sleep(RETRY_S)

    async def _talk(self) -> None:
        context = client_context(self._credentials.authority)
        connecting = asyncio.open_connection(
            self._peer.address, self._port, ssl=context, server_hostname=self._peer.name
        )
        reader, writer = await asyncio.wait_for(connecting, CONNECT_TIMEOUT_S)
        channel = Channel(reader, writer)
        told: dict[str, float] = {}
        try:
            await self._introduce(channel)
            while True:
                self._changed.clear()
                await self._exchange.ask(channel, told)
                self._heard(self._peer.name)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._changed.wait(), PERIOD_S)
        finally:
            await channel.close()

    async def _introduce(self, channel: Channel) -> None:
        nonce = str((await channel.receive(MESSAGE_TIMEOUT_S))["nonce"])
        key = self._credentials.authkey.read_bytes()
        node = self._credentials.node
        await channel.send({"node": node, "proof": proof(key, nonce, node)})
        await channel.receive()
