"""A plain TCP connection, opened and closed again. Never to a secure shell.

OpenSSH 9.8 and later penalises addresses that connect and do not authenticate
(sshd_config(5), PerSourcePenalties); on Debian 13, 40 bare connects at 10 Hz locked the
same address out of real logins. So port 22, ports declared for ssh, and whatever greets
with an SSH banner (RFC 4253, section 4.2) are refused.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from blackstart.errors import ProbeBroken, UsageError
from blackstart.probes.base import Answer, down

SSH_PORT = 22
SSH_BANNER = b"SSH-"
BANNER_WAIT_S = 0.3


@dataclass(slots=True)
class TcpProbe:
    """Whether a port accepts connections.

    Raises ``UsageError`` for port 22 and for ``ssh_ports``.
    """

    name: str
    subject: str
    host: str
    port: int
    timeout_s: float
    ssh_ports: frozenset[int] = frozenset()
    kind: str = "tcp"
    max_rate_hz: float | None = None
    _greeting_known: bool = field(default=False, init=False)
    _is_ssh: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        if self.port == SSH_PORT or self.port in self.ssh_ports:
            raise UsageError(
                f"{self.name}: {self.host}:{self.port} is a secure shell; bare connections to it "
                "lock this address out of real logins, so probe another port of this service"
            )

    async def ask(self) -> Answer:
        """Connect once. Raises ``ProbeBroken`` when it turns out to be a secure shell."""
        if self._is_ssh:
            raise ProbeBroken(self._refusal())
        try:
            async with asyncio.timeout(self.timeout_s):
                return await self._connect()
        except TimeoutError:
            return Answer(False, f"no connection within {self.timeout_s:g} s")
        except OSError as error:
            return down(error)

    async def _connect(self) -> Answer:
        reader, writer = await asyncio.open_connection(self.host, self.port)
        try:
            if not self._greeting_known:
                await self._look_at_greeting(reader)
        finally:
            # Nothing was written, so there is nothing to wait for.
            writer.transport.abort()
        return Answer(True)

    async def _look_at_greeting(self, reader: asyncio.StreamReader) -> None:
        """Once a probe, not at every question: most services wait for the client to speak."""
        try:
            async with asyncio.timeout(BANNER_WAIT_S):
                greeting = await reader.read(len(SSH_BANNER))
        except TimeoutError:
            greeting = b""
        self._greeting_known = True
        if greeting == SSH_BANNER:
            self._is_ssh = True
            raise ProbeBroken(self._refusal())

    def _refusal(self) -> str:
        return f"{self.host}:{self.port} greets as a secure shell, which must not be probed"

    async def close(self) -> None:
        """Nothing stays open between questions."""
