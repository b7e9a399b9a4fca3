"""Messages between the nodes: JSON with its length before it, every wait bounded."""

from __future__ import annotations

import asyncio
import hmac
import json
import ssl
from pathlib import Path
from typing import Any

MAX_MESSAGE_BYTES = 32 * 1024 * 1024
MESSAGE_TIMEOUT_S = 5
_LENGTH_BYTES = 4
_NO_CHECK_TIME = 0x200000  # X509_V_FLAG_NO_CHECK_TIME, X509_VERIFY_PARAM_set_flags(3)

Message = dict[str, Any]


class ProtocolError(Exception):
    """The other side said something that it should not have."""


class Channel:
    """One connection, already encrypted."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def send(self, message: Message) -> None:
        """Send one message; raises ``OSError`` or ``TimeoutError``."""
        data = json.dumps(message).encode()
        self._writer.write(len(data).to_bytes(_LENGTH_BYTES, "big") + data)
        await asyncio.wait_for(self._writer.drain(), MESSAGE_TIMEOUT_S)

    async def receive(self, timeout_s: float = MESSAGE_TIMEOUT_S) -> Message:
        """Receive one; raises ``ProtocolError``, ``EOFError``, ``OSError``, ``TimeoutError``."""
        async with asyncio.timeout(timeout_s):
            length = int.from_bytes(await self._reader.readexactly(_LENGTH_BYTES), "big")
            if length > MAX_MESSAGE_BYTES:
                raise ProtocolError(f"message of {length} bytes")
            data = await self._reader.readexactly(length)
        message = json.loads(data)
        if not isinstance(message, dict):
            raise ProtocolError("message is no object")
        return message

    async def close(self) -> None:
        """Close the connection, without waiting long for the other side."""
        self._writer.close()
        try:
            await asyncio.wait_for(self._writer.wait_closed(), MESSAGE_TIMEOUT_S)
        except (OSError, TimeoutError) as error:
            print(f"connection not closed in order: {error!r}", flush=True)


def proof(authkey: bytes, nonce: str, node: str) -> str:
    """Shows that a node knows corosync's key, which only members of the cluster have."""
    return hmac.new(authkey, f"pmxcfs {nonce} {node}".encode(), "sha256").hexdigest()


def server_context(certificate: Path, key: Path) -> ssl.SSLContext:
    """TLS of the listening side; raises ``OSError`` or ``ssl.SSLError``."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    return context


def client_context(authority: Path) -> ssl.SSLContext:
    """TLS of the connecting side: signature and name are verified, dates are not.

    Like corosync, the cluster file system must work with a clock that is wrong.
    """
    context = ssl.create_default_context(cafile=str(authority))
    context.verify_flags |= ssl.VerifyFlags(_NO_CHECK_TIME)
    return context
