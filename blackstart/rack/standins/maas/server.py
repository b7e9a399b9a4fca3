"""The API over HTTPS.

The order of the checks is MAAS': the path, the login, the operation, the privilege, then what
was given. A failure of the stand-in itself is a 500 with its text, as Django's is.
"""

from __future__ import annotations

import json
import ssl
import sys
import traceback
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from .endpoints import make_router
from .errors import TEXT, Refused, anonymous, unrecognised
from .oauth import Gatekeeper, User
from .routing import Answer, Call, Endpoint, Maas, choose

IDLE_LIMIT_S = 30.0
MAX_BODY_BYTES = 256 * 1024
FORM = "application/x-www-form-urlencoded"


class Api:
    """Answers requests; knows nothing of sockets."""

    def __init__(self, maas: Maas, gatekeeper: Gatekeeper) -> None:
        self._maas = maas
        self._gatekeeper = gatekeeper
        self._router = make_router()

    def answer(self, method: str, target: str, login: str | None, form: str) -> Answer:
        """The answer to one request; never raises."""
        try:
            return self._answered(method, target, login, form)
        except Refused as refused:
            return Answer(refused.text, refused.status, refused.kind)
        except Exception as error:
            # Whatever it is, the next request must be answered.
            traceback.print_exc()
            return Answer(str(error), int(HTTPStatus.INTERNAL_SERVER_ERROR), TEXT)

    def _answered(self, method: str, target: str, login: str | None, form: str) -> Answer:
        parts = urlsplit(target)
        endpoints, in_path = self._router.at(parts.path)
        values = dict(parse_qsl(parts.query, keep_blank_values=True))
        operation = values.pop("op", None)
        user = self._identify(endpoints, method, operation, login)
        endpoint = choose(endpoints, method, operation)
        endpoint.require_leave(user)
        values |= dict(parse_qsl(form, keep_blank_values=True))
        found = endpoint.handler(Call(self._maas, user, in_path, values))
        return found if isinstance(found, Answer) else Answer(found)

    def _identify(
        self, endpoints: list[Endpoint], method: str, operation: str | None, login: str | None
    ) -> User | None:
        if any(each.open_to_all and each.method == method for each in endpoints):
            return None
        user = self._gatekeeper.identify(login, self._maas.store.snapshot())
        if user is None and any(each.for_anonymous for each in endpoints):
            raise unrecognised(method, operation)
        if user is None:
            raise anonymous()
        return user


class _Handler(BaseHTTPRequestHandler):
    """One connection, kept open between requests."""

    server: Server
    protocol_version = "HTTP/1.1"
    server_version = "TwistedWeb/24.3.0"
    sys_version = ""
    timeout = IDLE_LIMIT_S

    def _serve(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        if length > MAX_BODY_BYTES:
            self.close_connection = True
            self._send(Answer("", int(HTTPStatus.REQUEST_ENTITY_TOO_LARGE), TEXT))
            return
        body = self.rfile.read(length)
        kind = (self.headers.get("Content-Type") or "").partition(";")[0]
        form = body.decode("utf-8", "replace") if kind == FORM else ""
        login = self.headers.get("Authorization")
        self._send(self.server.api.answer(self.command, self.path, login, form))

    do_GET = do_POST = do_PUT = do_DELETE = _serve  # noqa: N815 - http.server's names

    def _send(self, answer: Answer) -> None:
        is_text = isinstance(answer.content, str) and "json" not in answer.kind
        refused = answer.status >= HTTPStatus.BAD_REQUEST
        content = answer.content if is_text or refused else json.dumps(answer.content)
        body = content.encode()
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.kind)
        if answer.status != HTTPStatus.NO_CONTENT:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Drills ask all the time: only errors are worth a line."""


class Server(ThreadingHTTPServer):
    """HTTPS whose handshake happens in the connection's own thread, and is bounded."""

    daemon_threads = True

    def __init__(self, address: tuple[str, int], api: Api, context: ssl.SSLContext) -> None:
        super().__init__(address, _Handler)
        self.api = api
        self._context = context

    def finish_request(self, request: Any, client_address: Any) -> None:
        """Do the TLS handshake, then answer; a client that breaks off is no event."""
        request.settimeout(IDLE_LIMIT_S)
        try:
            with self._context.wrap_socket(request, server_side=True) as secure:
                super().finish_request(secure, client_address)
        except OSError as error:
            print(f"{client_address[0]}: {error}", file=sys.stderr, flush=True)
