"""The API over HTTPS: the few paths that a drill and the other members ask."""

from __future__ import annotations

import json
import ssl
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

from . import objects
from .access import PUBLIC, Accounts
from .cluster import Configuration
from .members import Members

REQUEST_LIMIT_S = 10.0
WAITING = 64
"""Connections that may wait to be taken: probes ask ten times a second, each anew."""


class Server(ThreadingHTTPServer):
    """HTTPS whose handshake happens in the request's own thread, and is bounded."""

    daemon_threads = True
    request_queue_size = WAITING

    def __init__(self, configuration: Configuration, members: Members, accounts: Accounts) -> None:
        self.members, self.accounts = members, accounts
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(configuration.certificate, configuration.key)
        super().__init__((configuration.bind, configuration.port), Api)

    def finish_request(self, request: Any, client_address: Any) -> None:
        """Do the TLS handshake, then answer; who breaks off (a TCP probe) is no event."""
        request.settimeout(REQUEST_LIMIT_S)
        try:
            with self._context.wrap_socket(request, server_side=True) as secure:
                super().finish_request(secure, client_address)
        except (ssl.SSLEOFError, ConnectionError, TimeoutError):
            return
        except OSError as error:
            print(f'level=info msg="{client_address[0]}: {error}"', file=sys.stderr)


class Api(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    timeout = REQUEST_LIMIT_S

    def do_GET(self) -> None:
        """Answer one request; the name is fixed by `http.server`."""
        asked = urlsplit(self.path)
        server = cast(Server, self.server)
        if asked.path == "/ping":  # k3s' supervisor: for everybody
            self._text(200, "pong")
            return
        user = server.accounts.user(self.headers.get("Authorization"))
        if user is None:
            self._json(objects.unauthorized())
        elif asked.path in PUBLIC:
            self._public(asked.path.strip("/"), verbose="verbose" in _names(asked.query))
        elif asked.path == "/api/v1/nodes" and server.accounts.may_list_nodes(user):
            self._nodes()
        else:
            self._json(objects.forbidden(user, asked.path))

    def _public(self, endpoint: str, *, verbose: bool) -> None:
        if endpoint == "version":
            self._json(objects.VERSION)
            return
        quorate = cast(Server, self.server).members.quorate()
        self._text(*objects.health(endpoint, quorate=quorate, verbose=verbose))

    def _nodes(self) -> None:
        members = cast(Server, self.server).members
        if not members.quorate():
            self._json(objects.status(500, objects.LOST_QUORUM))
            return
        self._json(objects.nodes(members.views()))

    def _json(self, content: dict[str, Any]) -> None:
        self._send(content.get("code", 200), "application/json", json.dumps(content).encode())

    def _text(self, status: int, content: str) -> None:
        self._send(status, "text/plain; charset=utf-8", content.encode())

    def _send(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Probes ask several times a second: only errors are worth a line."""


def _names(query: str) -> set[str]:
    return set(parse_qs(query, keep_blank_values=True))
