"""The API over HTTP: what the vendor's pveproxy and pvedaemon do between them.

The order of the checks is the vendor's: authentication, CSRF, path, permission,
then (perhaps on another node) the parameters, and the call itself. An error's
text stands in the reason phrase as well as in the body.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote

from aiohttp import web

from .access import COOKIE, CSRF_HEADER, Gatekeeper, Identity
from .endpoints import make_router
from .errors import PEER_TLS, BadParameters, Died, NotImplementedHere, PeerUnreachable, Unauthorized
from .forward import Forwarder
from .node import Node
from .parameters import verify
from .routing import Call, Endpoint, Page

API_ROOT = "/api2/json"
CALL_TIMEOUT_S = 60
WORKERS = 8
MAX_BODY_BYTES = 512 * 1024
SERVER = "pve-api-daemon/3.0"
JSON = "application/json;charset=UTF-8"


def make_app(node: Node, forwarder: Forwarder) -> web.Application:
    """The web application of one node."""
    server = _Server(node, forwarder)
    app = web.Application(client_max_size=MAX_BODY_BYTES)
    app.router.add_route("*", "/{path:.*}", server.handle)
    app.on_startup.append(server.open)
    app.on_cleanup.append(server.close)
    return app


class _Server:
    def __init__(self, node: Node, forwarder: Forwarder) -> None:
        self._node = node
        self._forwarder = forwarder
        self._gatekeeper = Gatekeeper(node.layout.etc_pve)
        self._router = make_router()
        self._workers = ThreadPoolExecutor(WORKERS)

    async def open(self, _app: web.Application) -> None:
        await self._forwarder.open()

    async def close(self, _app: web.Application) -> None:
        await self._forwarder.close()
        self._workers.shutdown(wait=False, cancel_futures=True)

    async def handle(self, request: web.Request) -> web.Response:
        try:
            response = await self._answer(request)
        except Died as error:
            response = _refusal(error)
        response.headers["Server"] = SERVER
        return response

    async def _answer(self, request: web.Request) -> web.Response:
        root, _, rest = request.path.partition(f"{API_ROOT}/")
        if root:
            raise NotImplementedHere(f"no such file '{request.path}'")
        path = f"/{rest}".rstrip("/") or "/"
        identity = None if self._is_open(request.method, path) else self._identify(request)
        endpoint, in_path = self._router.find(request.method, path)
        given = await _parameters(request)
        for name in given:
            if name in in_path:
                raise BadParameters({name: "duplicate parameter (already defined in URI)"})
        given |= in_path
        if endpoint.permission and identity:
            endpoint.permission.require(identity, in_path)
        name = in_path.get("node", self._node.name)
        if name not in (self._node.name, "localhost"):
            return await self._pass_on(name, request)
        return _success(await self._call(endpoint, identity, given))

    async def _call(
        self, endpoint: Endpoint, identity: Identity | None, given: Mapping[str, str]
    ) -> Any:
        values = verify(given, endpoint.parameters)
        call = Call(self._node, self._gatekeeper, identity, values)
        loop = asyncio.get_running_loop()
        work = loop.run_in_executor(self._workers, endpoint.handler, call)
        try:
            return await asyncio.wait_for(work, CALL_TIMEOUT_S)
        except TimeoutError as error:
            raise PeerUnreachable("Connection timed out", PEER_TLS) from error

    async def _pass_on(self, name: str, request: web.Request) -> web.Response:
        loop = asyncio.get_running_loop()
        membership = self._node.membership()
        address = await loop.run_in_executor(self._workers, membership.address, name)
        return await self._forwarder.forward(name, address, request)

    def _is_open(self, method: str, path: str) -> bool:
        return any(
            e.open_to_all and e.method == method and e.path == path for e in self._router.endpoints
        )

    def _identify(self, request: web.Request) -> Identity:
        header = request.headers.get("Authorization")
        if header is not None:
            return self._gatekeeper.by_token(header)
        ticket = request.cookies.get(COOKIE)
        if ticket is None:
            raise Unauthorized("No ticket")
        identity = self._gatekeeper.by_ticket(unquote(ticket))
        if request.method != "GET":
            self._gatekeeper.require_csrf(identity, request.headers.get(CSRF_HEADER, ""))
        return identity


async def _parameters(request: web.Request) -> dict[str, str]:
    given = {name: str(value) for name, value in request.query.items()}
    if request.content_type == "application/json" and request.can_read_body:
        try:
            body = await request.json()
        except json.JSONDecodeError as error:
            raise BadParameters({"body": f"unable to parse JSON: {error.msg}"}) from error
        given |= {name: _as_text(value) for name, value in dict(body).items()}
    elif request.can_read_body:
        given |= {name: str(value) for name, value in (await request.post()).items()}
    return given


def _as_text(value: Any) -> str:
    return str(int(value)) if isinstance(value, bool) else str(value)


def _success(data: Any) -> web.Response:
    body = {"data": data.data, "total": data.total} if isinstance(data, Page) else {"data": data}
    return web.Response(body=_encoded(body), headers={"Content-Type": JSON})


def _refusal(error: Died) -> web.Response:
    reason = " ".join(error.text.split())
    headers: dict[str, str] = {}
    content = b""
    if error.has_body:
        line_end = "" if error.status == HTTPStatus.NOT_IMPLEMENTED else "\n"
        body: dict[str, Any] = {"message": f"{error.text}{line_end}", "data": None}
        if isinstance(error, BadParameters):
            body["errors"] = error.errors
        content, headers = _encoded(body), {"Content-Type": JSON}
    response = web.Response(status=error.status, reason=reason, body=content, headers=headers)
    response.force_close()
    return response


def _encoded(body: dict[str, Any]) -> bytes:
    return json.dumps(body, separators=(",", ":")).encode()
