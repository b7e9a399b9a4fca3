"""Calls of the Proxmox VE API: verified TLS, a token, several endpoints, every call bounded.

proxmoxer makes the calls. The API answers on every node and forwards to the others, so
any node that lives will do. Its message is in the HTTP reason phrase; 595 and 596 are
the proxy's own codes for a node that it cannot reach, and have no body
(pve-http-server, AnyEvent.pm).
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import requests
from proxmoxer import ProxmoxResource, ResourceException
from proxmoxer.backends.https import Backend
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError, ReadTimeoutError

from blackstart.drivers.bounded import first, together, within
from blackstart.drivers.header_word import header_word
from blackstart.drivers.proxmox_patience import node_of
from blackstart.drivers.triage import Triage
from blackstart.drivers.trust import (
    Trust,
    pin,
    refused_certificate,
    root_cause,
    trust_store,
    unanswered,
)
from blackstart.drivers.whole_answer import TooLarge, limit
from blackstart.errors import DriverError, Rejected, TimedOut, Unreachable, UsageError

CONNECT_S = 2.0
# A node gives a guest's agent up to 10 s and then says so itself: that is worth hearing.
READ_S = 12.0
CALL_S = 24.0
PROXY_FAILED = range(595, 600)
NAME = "the Proxmox VE API"
"""By which it is sorted out; no host is called so."""


@dataclass(frozen=True, slots=True)
class Token:
    """An API token, ``USER@REALM!ID=UUID``; its text never shows the secret."""

    user: str
    name: str
    secret: str

    def __repr__(self) -> str:
        return f"Token({self.user}!{self.name})"


def parse_token(text: str) -> Token:
    """Take ``USER@REALM!ID=UUID`` apart. Raises ``UsageError``, which does not show it."""
    identity, equals, secret = text.strip().partition("=")
    user, mark, name = identity.partition("!")
    if not (equals and mark and "@" in user and name and secret):
        raise UsageError("the Proxmox API token is not of the form USER@REALM!ID=UUID")
    header_word(text.strip(), "the Proxmox API token")
    return Token(user, name, secret)


class _Endpoint:
    """One node's API. Sessions are kept, and each is used by one thread at a time."""

    def __init__(self, node: str, url: tuple[str, int], token: Token, trust: Trust) -> None:
        self.node = node
        self._url = url
        self._token = token
        self._trust = trust
        self._idle: queue.LifoQueue[tuple[Backend, requests.Session]] = queue.LifoQueue()

    def ask(self, method: str, path: str, fields: Mapping[str, Any], timeout_s: float) -> Any:
        """One request. Raises what proxmoxer and requests raise."""
        try:
            backend, session = self._idle.get_nowait()
        except queue.Empty:
            backend, session = self._session()
        backend.auth.timeout = (min(CONNECT_S, timeout_s), min(READ_S, timeout_s))
        root = ProxmoxResource(
            base_url=backend.get_base_url(), session=session, serializer=backend.get_serializer()
        )
        resource = root(path)
        try:
            answer = resource.get(**fields) if method == "GET" else resource.post(**fields)
        except BaseException:
            session.close()
            raise
        self._idle.put((backend, session))
        if isinstance(answer, dict) and isinstance(answer.get("errors"), bytes):
            raise TypeError(answer["errors"][:80])  # proxmoxer's way of giving what is no JSON
        return answer

    def close(self) -> None:
        """Close the sessions that are idle."""
        with suppress(queue.Empty):
            while True:
                self._idle.get_nowait()[1].close()

    def _session(self) -> tuple[Backend, requests.Session]:
        (address, port), token, fingerprint = self._url, self._token, self._trust.fingerprint
        backend = Backend(
            address,
            user=token.user,
            token_name=token.name,
            token_value=token.secret,
            port=port,
            verify_ssl=False if fingerprint else trust_store(self._trust.ca),
        )
        session = backend.get_session()
        limit(session)
        if fingerprint:
            pin(session, fingerprint)
        session.max_redirects = 0  # wherever it would lead, the token does not go there
        # No proxy and no other credentials from the environment: the token goes to the node.
        session.trust_env = False
        return backend, session


class ProxmoxApi:
    """The API of one cluster, through whichever of its nodes answers. Thread-safe."""

    def __init__(
        self,
        nodes: Mapping[str, str],
        *,
        token: Token,
        ca: Path | None,
        port: int = 8006,
        fingerprints: Mapping[str, str] | None = None,
    ) -> None:
        """``nodes`` maps names to addresses; all of them are endpoints of the same API.

        ``fingerprints`` holds, by node, the SHA-256 of the one certificate that is accepted
        there; the others are verified against ``ca``.
        """
        if not nodes:
            raise UsageError("no node of the inventory has `api: proxmox`")
        pinned = fingerprints or {}
        self._endpoints = [
            _Endpoint(node, (address, port), token, Trust(ca, pinned.get(node)))
            for node, address in nodes.items()
        ]
        self._lock = threading.Lock()
        self.nodes = tuple(nodes)
        self.triage = Triage()
        """While the API is away by it, under ``NAME``, it is not asked; whoever looks sets it."""
        self.who = f"{token.user}!{token.name}"

    def get(self, path: str, /, **fields: Any) -> Any:
        """``data`` of ``GET path``; at most 10 s over all endpoints.

        Raises ``Unreachable`` or ``TimedOut`` when no endpoint gave an answer, and
        ``Rejected`` with the vendor's own words when one said no.
        """
        return self._bounded("GET", path, fields)

    def post(self, path: str, **fields: Any) -> Any:
        """``data`` of ``POST path``. A request that may have arrived is never sent twice."""
        return self._bounded("POST", path, fields)

    def greet(self, *nodes: str) -> None:
        """Whether any endpoint (of these nodes) answers, all asked at once; within 14 s.

        Who says no has answered. Raises ``DriverError`` when nobody does.
        """
        asked = [it for it in self._endpoints if not nodes or it.node in nodes]
        first({it.node: partial(_version, it) for it in asked}, timeout_s=READ_S + CONNECT_S)

    def close(self) -> None:
        """Close all connections that are idle."""
        for endpoint in self._endpoints:
            endpoint.close()

    def _bounded(self, method: Literal["GET", "POST"], path: str, fields: Mapping[str, Any]) -> Any:
        self.triage.refuse(NAME)
        self.triage.refuse(name_of(node_of(path)))
        # requests bounds each wait for bytes, not the sum of them: hence the second bound.
        return within(
            lambda: self._ask_around(method, path, fields),
            timeout_s=CALL_S + READ_S,
            what=f"api {method} {path}",
        )

    def _ask_around(self, method: str, path: str, fields: Mapping[str, Any]) -> Any:
        deadline = time.monotonic() + CALL_S
        failures: list[DriverError] = []
        for endpoint in self._in_order(path):
            left = deadline - time.monotonic()
            if left <= 0:
                break
            try:
                answer = endpoint.ask(method, path, dict(fields), left)
            except (ResourceException, requests.RequestException, KeyError, TypeError) as error:
                failure = explain(endpoint.node, error)
                if isinstance(failure, Rejected) or (method != "GET" and _may_have_arrived(error)):
                    raise failure from error
                failures.append(failure)
                if isinstance(failure, TimedOut) and endpoint.node == node_of(path):
                    break  # whoever else is asked would wait for the same node
                continue
            self._prefer(endpoint)
            return answer
        raise together(failures)

    def _in_order(self, path: str) -> list[_Endpoint]:
        """The node that a path is about comes first: any other would only forward to it.

        Those that were silent when they were greeted come last.
        """
        about = node_of(path)
        with self._lock:
            return sorted(
                self._endpoints,
                key=lambda it: (self.triage.is_away(name_of(it.node)), it.node != about),
            )

    def _prefer(self, endpoint: _Endpoint) -> None:
        """Ask the one that answered first next time: a dead node costs its timeout only once."""
        with self._lock:
            if self._endpoints[0] is not endpoint:
                self._endpoints.remove(endpoint)
                self._endpoints.insert(0, endpoint)


def name_of(node: str) -> str:
    """By which the endpoint of one node is sorted out when it takes calls and answers none."""
    return f"{NAME} of {node}"


def _version(endpoint: _Endpoint) -> None:
    try:
        endpoint.ask("GET", "version", {}, READ_S)
    except (ResourceException, requests.RequestException, KeyError, TypeError) as error:
        failure = explain(endpoint.node, error)
        if not isinstance(failure, Rejected):
            raise failure from error


def _may_have_arrived(error: Exception) -> bool:
    if isinstance(error, ResourceException):
        return bool(error.status_code != 595)  # 595: the node's proxy could not even connect
    cause = getattr(error.args[0], "reason", None) if error.args else None
    return not isinstance(cause, NewConnectionError | ConnectTimeoutError)


def explain(node: str, error: Exception) -> DriverError:
    """What an endpoint's failure means, in the vendor's words where it has any."""
    kind: type[DriverError] = Unreachable
    match error:
        case ResourceException() if error.status_code in PROXY_FAILED:
            words = f"via {node}: {error.status_code} {error.content}"
        case ResourceException():
            kind, words = Rejected, f"{error.status_code} {_own_words(error)}"
        case requests.exceptions.SSLError():
            kind = unanswered(root_cause(error))
            words = f"{node}: {refused_certificate(error, 'proxmox')}"
        case TooLarge():
            kind, words = Rejected, f"{node}: {error}"
        case requests.exceptions.TooManyRedirects():
            kind, words = Rejected, f"{node}: it leads elsewhere, where the token is not sent"
        case requests.exceptions.ConnectTimeout():
            words = f"{node}: no connection within {CONNECT_S:.0f} s"
        case requests.exceptions.Timeout() | requests.ConnectionError(args=(ReadTimeoutError(),)):
            kind, words = TimedOut, f"{node}: no answer within {READ_S:.0f} s"
        case requests.RequestException():
            words = f"{node}: {root_cause(error)}"
        case _:
            kind, words = Rejected, f"{node}: the answer is not the API's JSON: {error!r}"
    return kind(words)


def _own_words(error: ResourceException) -> str:
    """The reason phrase, and for a 400 what is wrong with each parameter."""
    words = [str(error.content).strip()]
    if error.status_code == 400 and isinstance(error.errors, Mapping):
        words += [f"{name}: {text}" for name, text in error.errors.items()]
    return " ".join(words)
