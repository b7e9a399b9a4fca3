"""DHCP servers on loopback: each answers what a test tells it, to whoever asked."""

from __future__ import annotations

import asyncio
import struct
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Future
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from typing import cast

from blackstart.drivers.dhcp_client import Wire
from blackstart.drivers.dhcp_message import Kind

FIXED = struct.Struct("!BBBBIHH4s4s4s4s16s64s128s4s")
COOKIE = b"\x63\x82\x53\x63"


@dataclass(frozen=True)
class Asked:
    """A client's message, taken apart by this file's own reader."""

    kind: int
    xid: int
    flags: int
    held: str
    mac: bytes
    options: dict[int, bytes]
    size: int


def read(data: bytes) -> Asked:
    fields = FIXED.unpack_from(data)
    assert fields[0] == 1
    options: dict[int, bytes] = {}
    rest = data[FIXED.size :]
    while rest[0] != 255:
        options[rest[0]] = rest[2 : 2 + rest[1]]
        rest = rest[2 + rest[1] :]
    held = str(IPv4Address(fields[7]))
    return Asked(options[53][0], fields[4], fields[6], held, fields[11][:6], options, len(data))


def answer(
    asked: Asked,
    kind: Kind,
    address: str = "192.0.2.220",
    server: str | None = "192.0.2.53",
    *,
    lease_s: int | None = 600,
    xid: int | None = None,
    mac: bytes | None = None,
    more: bytes = b"",
) -> bytes:
    """A server's message to who asked."""
    fixed = FIXED.pack(
        *(2, 1, 6, 0, asked.xid if xid is None else xid, 0, 0x8000, bytes(4)),
        *(IPv4Address(address).packed, bytes(4), bytes(4), asked.mac if mac is None else mac),
        *(b"", b"", COOKIE),
    )
    options = bytes([53, 1, kind])
    if server is not None:
        options += bytes([54, 4]) + IPv4Address(server).packed
    if lease_s is not None:
        options += bytes([51, 4]) + lease_s.to_bytes(4, "big")
    return fixed + options + more + b"\xff"


Script = Callable[[Asked], list[bytes]]


@dataclass
class Server(asyncio.DatagramProtocol):
    """Remembers what it was asked, and answers by its script."""

    script: Script
    asked: list[Asked] = field(default_factory=list)
    clients: list[tuple[str, int]] = field(default_factory=list)
    _transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        asked = read(data)
        self.asked.append(asked)
        self.clients.append(addr)
        for message in self.script(asked):
            self.send(message, addr)

    def send(self, message: bytes, client: tuple[str, int]) -> None:
        assert self._transport is not None
        self._transport.sendto(message, client)


@asynccontextmanager
async def serving(script: Script) -> AsyncIterator[tuple[Server, Wire]]:
    """A server, and the wire that leads to it."""
    server = Server(script)
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: server, local_addr=("127.0.0.1", 0))
    port = transport.get_extra_info("sockname")[1]
    try:
        yield server, Wire("lo", ("127.0.0.1", port), ("127.0.0.1", 0))
    finally:
        transport.close()


@contextmanager
def serving_beside(script: Script) -> Iterator[tuple[Server, Wire]]:
    """A server in a thread of its own, for what has an event loop of its own, too."""
    made: Future[tuple[Server, Wire]] = Future()
    over: Future[asyncio.Event] = Future()

    async def serve() -> None:
        async with serving(script) as served:
            ended = asyncio.Event()
            over.set_result(ended)
            made.set_result(served)
            await ended.wait()

    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    try:
        yield made.result(10)
    finally:
        loop.call_soon_threadsafe(over.result(10).set)
        thread.join(10)
        loop.close()
