"""ICMP echo (RFC 792), through icmplib.

One socket serves all targets: a raw socket is handed every ICMP packet of the machine,
so that a socket a question (icmplib's ``async_ping``) costs questions times answers.
Without privileges it needs ``net.ipv4.ping_group_range`` (icmp(7)) to allow the group.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from itertools import count

from icmplib import (
    AsyncSocket,
    ICMPLibError,
    ICMPReply,
    ICMPRequest,
    ICMPSocketError,
    ICMPv4Socket,
    SocketPermissionError,
    TimeoutExceeded,
)

from blackstart.errors import ProbeBroken
from blackstart.probes.base import Answer, down

PAYLOAD = b"blackstart probe"
REMEDY = (
    "no permission for ICMP; run as root, or allow this group in sysctl net.ipv4.ping_group_range"
)
_LISTEN_S = 3600.0


class EchoSocket:
    """One ICMP socket on the running event loop; answers find their question by number."""

    def __init__(self) -> None:
        self._socket: AsyncSocket | None = None
        self._reader: asyncio.Task[None] | None = None
        self._waiting: dict[tuple[int, int], asyncio.Future[ICMPReply]] = {}
        self._sequence = count(1)

    async def echo(self, address: str, timeout_s: float) -> ICMPReply:
        """One echo request. Raises ``TimeoutError``, ``ICMPLibError`` or ``ProbeBroken``."""
        sock = self._open()
        request = ICMPRequest(
            destination=address,
            id=id(self) & 0xFFFF,
            sequence=next(self._sequence) & 0xFFFF,
            payload=PAYLOAD,
        )
        sock.send(request)
        key = (request.id, request.sequence)
        answer: asyncio.Future[ICMPReply] = asyncio.get_running_loop().create_future()
        self._waiting[key] = answer
        try:
            async with asyncio.timeout(timeout_s):
                return await answer
        finally:
            self._waiting.pop(key, None)

    def _open(self) -> AsyncSocket:
        if self._socket is None:
            self._socket = AsyncSocket(_permitted_socket())
            self._reader = asyncio.create_task(self._read(self._socket))
        return self._socket

    async def _read(self, sock: AsyncSocket) -> None:
        while True:
            try:
                reply = await sock.receive(timeout=_LISTEN_S)
            except TimeoutExceeded:
                continue
            except ICMPLibError as error:
                self._give_up(ProbeBroken(f"the ICMP socket broke: {error}"))
                return
            answer = self._waiting.get((reply.id, reply.sequence))
            if answer is not None and not answer.done():
                answer.set_result(reply)

    def _give_up(self, error: ProbeBroken) -> None:
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(error)

    async def close(self) -> None:
        """Stop reading and close. Safe to repeat."""
        reader, self._reader = self._reader, None
        sock, self._socket = self._socket, None
        if reader is not None:
            reader.cancel()
            await asyncio.gather(reader, return_exceptions=True)
        if sock is not None:
            sock.close()


def _permitted_socket() -> ICMPv4Socket:
    """A socket that the kernel sorts answers for, else a raw one."""
    for privileged in (False, True):
        try:
            return ICMPv4Socket(privileged=privileged)
        except SocketPermissionError:
            continue
        except ICMPSocketError as error:
            raise ProbeBroken(f"no ICMP socket: {error}") from error
    raise ProbeBroken(REMEDY)


@dataclass(frozen=True, slots=True)
class IcmpProbe:
    """Whether an address answers to echo. Probes of one drill share ``sockets``."""

    name: str
    subject: str
    address: str
    timeout_s: float
    sockets: EchoSocket
    kind: str = "icmp"
    max_rate_hz: float | None = None

    async def ask(self) -> Answer:
        """One echo request. Raises ``ProbeBroken`` without permission or route."""
        try:
            reply = await self.sockets.echo(self.address, self.timeout_s)
            reply.raise_for_status()
        except TimeoutError:
            return Answer(False, f"no echo within {self.timeout_s:g} s")
        except ICMPLibError as error:
            return down(error)
        return Answer(True)

    async def close(self) -> None:
        """Close the shared socket; the first probe to be closed does it for all."""
        await self.sockets.close()
