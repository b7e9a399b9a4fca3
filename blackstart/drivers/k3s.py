"""The Kubernetes API of a k3s cluster: verified TLS, a bearer token, several servers.

The calls are those of the official client. Any server answers for the whole cluster while
most of them live, so one that is away, or has lost its datastore, is passed over for the next.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import TypeVar

from kubernetes.client import (
    ApiClient,
    ApiException,
    Configuration,
    V1Node,
    V1NodeList,
    VersionInfo,
)
from kubernetes.client.rest import RESTResponse
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    NewConnectionError,
    ProtocolError,
    ReadTimeoutError,
    SSLError,
)

from blackstart.drivers.bounded import within
from blackstart.drivers.header_word import header_word
from blackstart.drivers.trust import root_cause, trust_store, unanswered
from blackstart.drivers.whole_answer import CHUNK, TooLarge, whole
from blackstart.errors import DriverError, Rejected, TimedOut, Unreachable
from blackstart.model.k3s_facts import K3sNode

T = TypeVar("T")

CONNECT_S = 5.0
"""The TLS handshake included."""
READ_S = 5.0
CALL_S = 10.0
OUR_FAULT = range(400, 500)


class K3sServers:
    """The API of one cluster, through whichever of its servers answers. Thread-safe."""

    def __init__(self, servers: Mapping[str, tuple[str, int]], *, token: str, ca: Path) -> None:
        """``servers`` maps names to address and port.

        Raises ``UsageError`` when the CA file is not there, or no header can carry the token.
        """
        header_word(token, "the token of k3s")
        self.servers: Mapping[str, tuple[str, int]] = dict(servers)
        self.ca = ca
        self._clients = {
            name: _client(address, port, token, trust_store(ca))
            for name, (address, port) in servers.items()
        }
        self._lock = threading.Lock()
        self._order = list(servers)

    def version(self) -> str:
        """The cluster's version, such as ``v1.33.6+k3s1``. Raises as ``nodes`` does."""
        return self._ask_around(_version)

    def nodes(self) -> tuple[K3sNode, ...]:
        """Every node, by name; no other server is asked once ``CALL_S`` seconds are over.

        Not from a cache: without a resource version the answer needs the datastore's quorum
        (Kubernetes API concepts, "Resource versions"), so that a server that is alone cannot
        tell old news. Raises ``Unreachable`` or ``TimedOut`` when no server gave an answer,
        ``Rejected`` with the API's own words when one said no.
        """
        return self._ask_around(_nodes)

    def failing(self, server: str) -> tuple[str, ...]:
        """The checks that one server fails at ``/readyz``; none means that it is ready.

        Raises ``DriverError`` when it does not say.
        """
        return self._bounded(server, _readyz)

    def close(self) -> None:
        """Close all connections that are idle."""
        for client in self._clients.values():
            client.close()

    def _ask_around(self, call: Callable[[ApiClient], T]) -> T:
        deadline = time.monotonic() + CALL_S
        failures: list[DriverError] = []
        with self._lock:
            order = list(self._order)
        for server in order:
            if time.monotonic() >= deadline:
                break
            try:
                answer = self._bounded(server, call)
            except Rejected:
                raise
            except DriverError as error:
                failures.append(error)
                continue
            with self._lock:
                self._order.remove(server)
                self._order.insert(0, server)
            return answer
        kind = TimedOut if all(isinstance(item, TimedOut) for item in failures) else Unreachable
        raise kind("; ".join(str(failure) for failure in failures))

    def _bounded(self, server: str, call: Callable[[ApiClient], T]) -> T:
        """One call. urllib3 bounds each wait for bytes, not their sum: hence a second bound."""

        def ask() -> T:
            try:
                return call(self._clients[server])
            except (ApiException, HTTPError, TooLarge, ValueError) as error:
                raise explain(server, error) from error

        return within(ask, timeout_s=CONNECT_S + READ_S, what=server)


def _client(address: str, port: int, token: str, ca: str) -> ApiClient:
    configuration = Configuration(
        host=f"https://{address}:{port}",
        api_key={"BearerToken": token},
        api_key_prefix={"BearerToken": "Bearer"},
        ssl_ca_cert=ca,
        retries=False,  # neither repeated nor redirected: the token goes to this server only
    )
    configuration.proxy = None  # not the environment's either
    return ApiClient(configuration)


def _bounds() -> tuple[float, float]:
    return CONNECT_S, READ_S


def _version(api: ApiClient) -> str:
    return str(_given(api, "/version/", VersionInfo).git_version)


def _nodes(api: ApiClient) -> tuple[K3sNode, ...]:
    listed = _given(api, "/api/v1/nodes", V1NodeList).items
    return tuple(sorted((_node(item) for item in listed), key=lambda node: node.name))


def _answered(api: ApiClient, path: str) -> tuple[RESTResponse, bytes]:
    """A call as the client's own methods make theirs, with its whole answer read.

    Not through those methods: they wait for the network inside pydantic's compiled code, and
    a thread that was left behind there when Python ends takes the process with it (SIGABRT
    in place of the exit code). For the health endpoints it has none.
    """
    accept = {"Accept": "application/json"}
    asked = api.param_serialize("GET", path, header_params=accept, auth_settings=["BearerToken"])
    answer = api.call_api(*asked, _request_timeout=_bounds())
    try:
        # The client's own ``read`` would take a body that never ends.
        body = whole(answer.response.stream(CHUNK))
    except BaseException:
        answer.response.close()
        raise
    answer.data = body  # type: ignore[assignment]  # the client has no type for it
    return answer, body


def _given(api: ApiClient, path: str, kind: type[T]) -> T:
    given = api.response_deserialize(_answered(api, path)[0], {"200": kind.__name__}).data
    if not isinstance(given, kind):  # ``null`` is ``None``
        raise ValueError("null")
    return given


def _readyz(api: ApiClient) -> tuple[str, ...]:
    answer, body = _answered(api, "/readyz")
    said = body.decode(errors="replace")
    if answer.status == HTTPStatus.OK:
        return ()
    if answer.status < HTTPStatus.INTERNAL_SERVER_ERROR:
        raise ApiException(http_resp=answer, body=said)
    failed = [line.removeprefix("[-]") for line in said.splitlines() if line.startswith("[-]")]
    return tuple(failed) or (f"{answer.status} {said.partition(chr(10))[0]}",)


def _node(item: V1Node) -> K3sNode:
    """Raises ``ValueError`` for a node without a name."""
    name = item.metadata.name if item.metadata else None
    if not name:
        raise ValueError("a node without a name")
    conditions = (item.status.conditions if item.status else None) or []
    addresses = (item.status.addresses if item.status else None) or []
    found = next((condition for condition in conditions if condition.type == "Ready"), None)
    words = [found.reason, found.message] if found else ["no condition Ready"]
    return K3sNode(
        name=name,
        ready=found is not None and found.status == "True",
        why=": ".join(word for word in words if word) or "no reason given",
        addresses=tuple(sorted(item.address for item in addresses if item.type == "InternalIP")),
    )


def explain(server: str, error: Exception) -> DriverError:
    """What a call's failure means, in the API's own words where it has any."""
    kind: type[DriverError] = Unreachable
    match error:
        case ApiException(__context__=SSLError()):
            kind = unanswered(root_cause(error))
            words = f"{server}: {root_cause(error)}; see `ca:` of k3s"
        case ApiException() if error.status in OUR_FAULT:
            kind, words = Rejected, f"{server}: {error.status} {_own_words(error)}"
            words += _REMEDIES.get(error.status, "")
        case ApiException() if error.status:
            words = f"{server}: {error.status} {_own_words(error)}"
        case NewConnectionError():  # a ConnectTimeoutError by its class, and none by its meaning
            words = f"{server}: {root_cause(error)}"
        case ConnectTimeoutError():
            words = f"{server}: no connection within {CONNECT_S:.0f} s"
        case ReadTimeoutError():
            kind, words = TimedOut, f"{server}: no answer within {READ_S:.0f} s"
        case ProtocolError():
            words = f"{server}: the connection broke"
        case TooLarge():
            kind, words = Rejected, f"{server}: {error}"
        case HTTPError():
            words = f"{server}: {root_cause(error)}"
        case _:
            kind, words = Rejected, f"{server}: the answer is not the API's JSON: {_first(error)}"
    return kind(words)


_REMEDIES = {
    401: "; the token is wrong or has expired, see `token:` of k3s",
    403: "; docs/k3s.md says what its role needs",
}


def _own_words(error: ApiException) -> str:
    """The message of the API's Status object, or the reason phrase."""
    try:
        status = json.loads(error.body or "")
    except ValueError:
        status = None
    message = status.get("message") if isinstance(status, dict) else None
    return str(message or error.reason)


def _first(error: Exception) -> str:
    return str(error).partition("\n")[0]
