"""A DHCP client that asks as a new machine does, and takes nothing that is not its own.

It has a MAC of its own, locally administered, so that no machine's lease can be confused with
its; what it was given it gives back. An OFFER binds a server to nothing (RFC 2131, section
3.1): to look who offers costs nobody an address.
"""

from __future__ import annotations

import asyncio
import re
import secrets
import socket
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from dataclasses import dataclass, replace
from ipaddress import IPv4Address

from blackstart.drivers.dhcp_message import NOWHERE, Kind, Malformed, Message, decode, encode
from blackstart.errors import Rejected, TimedOut, UsageError

SERVER_PORT, CLIENT_PORT = 67, 68
MAC = "02:62:6c:6b:73:74"
"""Locally administered; ``blkst`` in ASCII, so that a person who meets it in a log can tell."""
MOST_BYTES = 4096
AGAIN_S = 2.0

_OWN_MAC = re.compile(r"[0-9a-f][26ae](:[0-9a-f]{2}){5}")


@dataclass(frozen=True, slots=True)
class Wire:
    """Where it is asked: an interface (its packets leave nowhere else), and two endpoints."""

    interface: str
    server: tuple[str, int] = ("255.255.255.255", SERVER_PORT)
    client: tuple[str, int] = ("", CLIENT_PORT)

    def open(self) -> socket.socket:
        """A socket there, for the caller to close. Raises ``OSError``, also without privileges."""
        made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            made.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            made.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, self.interface.encode())
            made.setblocking(False)
            made.bind(self.client)
        except OSError:
            made.close()
            raise
        return made


@dataclass(frozen=True, slots=True)
class Lease:
    """An address that a server has given to this client, for so many seconds.

    ``xid`` is the number of the exchange, under which an offer is accepted (RFC 2131, 4.4.1).
    """

    address: IPv4Address
    server: IPv4Address
    lease_s: int
    xid: int


class DhcpClient:
    """Asks on one wire under one MAC. Every question is bounded by the caller's seconds."""

    def __init__(self, wire: Wire, mac: str = MAC) -> None:
        """Raises ``UsageError`` for a MAC that may be some real card's."""
        if not _OWN_MAC.fullmatch(mac):
            raise UsageError(f"{mac} is not locally administered: it may be some machine's own")
        self._wire = wire
        self._mac = mac

    async def offers(self, window_s: float, until: IPv4Address | None = None) -> tuple[Lease, ...]:
        """Everything that any server offers, one of each, sorted by server.

        Listens for the whole window, or until the server ``until`` has offered. Raises
        ``OSError`` when this machine cannot ask.
        """
        found: dict[IPv4Address, Lease] = {}
        async with aclosing(self._answers(self._message(Kind.DISCOVER), window_s)) as answers:
            async for answer in answers:
                offered = _lease(answer, Kind.OFFER)
                if offered is not None:
                    found.setdefault(offered.server, offered)
                if until in found:
                    break
        return tuple(found[server] for server in sorted(found))

    async def take(self, offered: Lease, timeout_s: float) -> Lease:
        """Accept an offer that this client was made. Raises as ``keep`` does."""
        accept = replace(
            self._message(Kind.REQUEST, requested=offered.address, server=offered.server),
            xid=offered.xid,
        )
        return await self._request(offered, accept, timeout_s)

    async def keep(self, lease: Lease, timeout_s: float) -> Lease:
        """Ask whether the lease still holds, as a client does that rebooted (INIT-REBOOT).

        Not as one that renews: that answer goes to the leased address, which this machine does
        not have. Raises ``Rejected`` for a NAK or another address, ``TimedOut`` for silence.
        """
        ask = self._message(Kind.REQUEST, requested=lease.address)
        return await self._request(lease, ask, timeout_s)

    def give_back(self, lease: Lease) -> None:
        """Release it; nobody answers to that. Raises ``OSError``."""
        release = self._message(Kind.RELEASE, held=lease.address, server=lease.server)
        with self._wire.open() as sock:
            sock.sendto(encode(release), (str(lease.server), self._wire.server[1]))

    async def _request(self, lease: Lease, message: Message, timeout_s: float) -> Lease:
        async with aclosing(self._answers(message, timeout_s)) as answers:
            async for answer in answers:
                if answer.server != lease.server:
                    continue
                if answer.kind is Kind.NAK:
                    raise Rejected(f"{lease.server} refuses {lease.address} (NAK)")
                given = _lease(answer, Kind.ACK)
                if given is not None and given.address != lease.address:
                    raise Rejected(f"{lease.server} gave {given.address} for {lease.address}")
                if given is not None:
                    return given
        raise TimedOut(f"{lease.server} did not answer within {timeout_s:g} s")

    async def _answers(self, message: Message, window_s: float) -> AsyncGenerator[Message]:
        """Every answer to a message until the window closes; it is sent again every 2 s.

        A server that pings an address before it offers it drops what the same client asks
        meanwhile (dhcpd: "already acking lease"), so that one question is no question.
        """
        loop = asyncio.get_running_loop()
        again = time.monotonic()
        until = again + window_s
        with self._wire.open() as sock:
            # Asked each time: where data waits, nothing is awaited and no timeout comes.
            while (now := time.monotonic()) < until:
                if now >= again:
                    await loop.sock_sendto(sock, encode(message), self._wire.server)
                    again += AGAIN_S
                with suppress(TimeoutError):
                    async with asyncio.timeout(min(again, until) - now):
                        data = await loop.sock_recv(sock, MOST_BYTES)
                    answer = _own(data, message)
                    if answer is not None:
                        yield answer

    def _message(
        self,
        kind: Kind,
        *,
        held: IPv4Address = NOWHERE,
        requested: IPv4Address | None = None,
        server: IPv4Address | None = None,
    ) -> Message:
        xid = secrets.randbits(32)
        return Message(kind, xid, self._mac, held=held, requested=requested, server=server)


def _own(data: bytes, asked: Message) -> Message | None:
    """The answer to what was asked; what others were answered, or is no answer, is nothing."""
    try:
        answer = decode(data)
    except Malformed:
        return None
    return answer if (answer.xid, answer.mac) == (asked.xid, asked.mac) else None


def _lease(answer: Message, kind: Kind) -> Lease | None:
    """What an answer of that kind gives; one without server, address or time gives nothing."""
    if answer.kind is not kind or answer.server is None or answer.lease_s is None:
        return None
    if answer.given == NOWHERE:
        return None
    return Lease(answer.given, answer.server, answer.lease_s, answer.xid)
