"""Small real servers on loopback that tests stop and start again."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections import deque
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path
from typing import Self

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

LOOPBACK = "127.0.0.1"


class StreamServer:
    """Keeps its port over a restart, and ends its connections when it stops."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.port = 0
        self.connections = 0
        self._tls = tls
        self._server: asyncio.Server | None = None
        self._serving: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._accept, LOOPBACK, self.port, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
        for task in tuple(self._serving):
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.stop()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.create_task(self._serve(reader, writer))
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)
        await asyncio.wait([task])
        writer.close()
        # The probe may have hung up first, which is its right.
        await asyncio.gather(writer.wait_closed(), return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        raise NotImplementedError


class TcpServer(StreamServer):
    """Greets every connection; ``greeting`` may be empty."""

    def __init__(self, greeting: bytes = b"") -> None:
        super().__init__()
        self._greeting = greeting

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(self._greeting)
        await asyncio.gather(reader.read(), return_exceptions=True)


class HttpServer(StreamServer):
    """Answers GET with ``status``; counts what was asked, by path."""

    def __init__(self, status: int = 200, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(tls)
        self.status = status
        self.delay_s = 0.0
        self.paths: list[str] = []

    @property
    def url(self) -> str:
        return f"http{'s' if self._tls else ''}://{LOOPBACK}:{self.port}/"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        self.paths.append(request.split()[1].decode())
        await asyncio.sleep(self.delay_s)
        head = f"HTTP/1.1 {self.status} X\r\nLocation: /elsewhere\r\nContent-Length: 2\r\n\r\nok"
        writer.write(head.encode())
        await writer.drain()


class DnsServer(asyncio.DatagramProtocol):
    """Answers A queries from ``zone``; remembers when it was asked."""

    def __init__(self, zone: dict[str, list[str]]) -> None:
        self.zone = zone
        self.rcode = dns.rcode.NOERROR
        self.port = 0
        self.asked: deque[tuple[float, str]] = deque()
        self._transport: asyncio.DatagramTransport | None = None

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(
            lambda: self, local_addr=(LOOPBACK, self.port)
        )
        self._transport = transport
        self.port = transport.get_extra_info("sockname")[1]

    async def stop(self) -> None:
        if self._transport is not None:
            self._transport.close()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.stop()

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        query = dns.message.from_wire(data)
        name = query.question[0].name.to_text(omit_final_dot=True)
        self.asked.append((time.monotonic(), name))
        answer = dns.message.make_response(query)
        answer.flags |= dns.flags.AA
        answer.set_rcode(self.rcode)
        if name in self.zone:
            records = dns.rrset.from_text(f"{name}.", 60, "IN", "A", *self.zone[name])
            answer.answer.append(records)
        assert self._transport is not None
        self._transport.sendto(answer.to_wire(), addr)


def certificate(directory: Path, name: str) -> tuple[Path, ssl.SSLContext]:
    """A self-signed certificate for loopback: its file, and a server context with it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(IPv4Address(LOOPBACK))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    pem, secret = directory / f"{name}.crt", directory / f"{name}.key"
    pem.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(pem, secret)
    return pem, context
