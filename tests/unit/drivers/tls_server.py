"""A CA, certificates, and a small HTTPS server on loopback that answers what a test tells it."""

from __future__ import annotations

import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID


@dataclass(frozen=True)
class Authority:
    """A CA whose certificate is the file ``ca``."""

    ca: Path
    _certificate: x509.Certificate
    _key: ec.EllipticCurvePrivateKey

    @classmethod
    def make(cls, directory: Path, name: str = "test CA") -> Authority:
        """A fresh CA."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        certificate = _build(subject, subject, key, days=1, ca=True).sign(key, hashes.SHA256())
        path = directory / f"{name.replace(' ', '-')}.crt"
        path.write_bytes(certificate.public_bytes(Encoding.PEM))
        return cls(path, certificate, key)

    def issue(self, directory: Path, *addresses: str, days: int = 1) -> Path:
        """A certificate for these addresses, with its key in the same PEM file."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "endpoint")])
        builder = _build(subject, self._certificate.subject, key, days=days, ca=False)
        names: list[x509.GeneralName] = [x509.DNSName("endpoint")]
        names += [x509.IPAddress(ipaddress.ip_address(address)) for address in addresses]
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        certificate = builder.sign(self._key, hashes.SHA256())
        path = directory / f"endpoint-{certificate.serial_number}.pem"
        path.write_bytes(
            key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            + certificate.public_bytes(Encoding.PEM)
        )
        return path


def fingerprint(certificate: Path) -> str:
    """Its SHA-256, as openssl(1) prints it."""
    (pem,) = x509.load_pem_x509_certificates(certificate.read_bytes())
    return pem.fingerprint(hashes.SHA256()).hex(":").upper()


def _build(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, *, days: int, ca: bool
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=3))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    )


@dataclass(frozen=True)
class Reply:
    """An answer: status, reason phrase, body and headers of its own.

    ``drop`` closes the connection without one; ``byte_s`` is a pause (seconds) before each
    byte of the body; ``location`` is where a redirect leads. ``endless`` bodies go on until the
    client hangs up.
    """

    status: int = 200
    reason: str = "OK"
    body: bytes = b""
    drop: bool = False
    byte_s: float = 0.0
    location: str = ""
    endless: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Asked:
    """A request as the server saw it."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


Answer = Reply | Callable[[Asked], Reply]


@dataclass
class Server:
    """What it answers (by ``METHOD path``, query left out) and what it was asked.

    ``otherwise`` answers what is not in ``answers``.
    """

    port: int
    answers: dict[str, Answer] = field(default_factory=dict)
    otherwise: Answer | None = None
    asked: list[Asked] = field(default_factory=list)
    connections: int = 0
    context: ssl.SSLContext | None = None

    def present(self, certificate: Path) -> None:
        """Show another certificate from the next connection on."""
        assert self.context is not None
        self.context.load_cert_chain(certificate)

    def lines(self) -> list[str]:
        """The requests as ``METHOD path``."""
        return [f"{asked.method} {asked.path}" for asked in self.asked]

    def reply(self, asked: Asked) -> Reply:
        """The answer to one request; nothing prepared is a 501, as the vendor's."""
        self.asked.append(asked)
        answer = self.answers.get(f"{asked.method} {asked.path.split('?')[0]}", self.otherwise)
        if answer is None:
            return Reply(501, f"Method '{asked.method} {asked.path}' not implemented")
        return answer if isinstance(answer, Reply) else answer(asked)


class _Https(ThreadingHTTPServer):
    daemon_threads = True
    script: Server

    def __init__(self, context: ssl.SSLContext, address: str, port: int) -> None:
        self.address_family = socket.AF_INET6 if ":" in address else socket.AF_INET
        super().__init__((address, port), _Handler)
        self._context = context

    def finish_request(self, request: object, client_address: object) -> None:
        """The handshake belongs in the connection's own thread."""
        try:
            wrapped = self._context.wrap_socket(request, server_side=True)  # type: ignore[arg-type]
        except OSError:
            return  # the client did not like the certificate: that is what is tested
        self.script.connections += 1
        with wrapped:
            self.RequestHandlerClass(wrapped, client_address, self)  # type: ignore[arg-type]

    def handle_error(self, *_: object) -> None:
        """A client that goes away is no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Https

    def _serve(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        asked = Asked(self.command, self.path, dict(self.headers), self.rfile.read(length))
        reply = self.server.script.reply(asked)
        if reply.drop:
            self.close_connection = True
            return
        self.send_response(reply.status, reply.reason)
        self.send_header("Content-Type", "application/json;charset=UTF-8")
        if reply.endless:
            self.close_connection = True
        else:
            self.send_header("Content-Length", str(len(reply.body)))
        if reply.location:
            self.send_header("Location", reply.location)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.end_headers()
        while reply.endless:
            self.wfile.write(reply.body)  # raises once the client is gone
        if not reply.byte_s:
            self.wfile.write(reply.body)
            return
        for number in range(len(reply.body)):
            time.sleep(reply.byte_s)
            self.wfile.write(reply.body[number : number + 1])

    do_GET = do_POST = do_PATCH = _serve  # noqa: N815 - http.server's names

    def log_message(self, *_: object) -> None:
        """Silence: what was asked is recorded."""


@contextmanager
def serving(certificate: Path, address: str = "127.0.0.1", port: int = 0) -> Iterator[Server]:
    """An HTTPS server; it is gone afterwards."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    https = _Https(context, address, port)
    https.script = Server(https.server_address[1], context=context)
    thread = threading.Thread(target=https.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield https.script
    finally:
        https.shutdown()
        https.server_close()
        thread.join(5)
