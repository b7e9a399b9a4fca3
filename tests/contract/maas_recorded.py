"""The recorded exchanges of a real MAAS 3.6, and a server that answers with them.

The server checks a login as MAAS does (maasserver/api/auth.py): PLAINTEXT, the secret, a
timestamp within 300 s, a nonce that was not used before; and refuses in the recorded words.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest

from tests.unit.drivers.tls_server import Asked, Reply

CONTRACT = Path(__file__).parents[3] / "shared" / "contracts" / "maas"
EXCHANGES_FILE = CONTRACT / "real-responses-all.json"
SCHEMA_FILE = CONTRACT / "openapi-3.6.5.json"
BASE = "/MAAS/api/2.0/"
ABSENT = f"no recorded answers of the real MAAS at {CONTRACT}"
needs_recordings = pytest.mark.skipif(not EXCHANGES_FILE.exists(), reason=ABSENT)

CONSUMER, TOKEN, SECRET = "c1aaaaaaaaaaaaaaaa", "t1bbbbbbbbbbbbbbbb", "s1cccccccccccccccccccccccc"
CLOCK_S = 300


@dataclass(frozen=True)
class Exchange:
    """One recorded request and its answer. ``path`` is below the API's base, without a query."""

    number: int
    title: str
    method: str
    path: str
    query: Mapping[str, str]
    status: int
    body: Any

    @property
    def reply(self) -> Reply:
        """Its answer, as it came: JSON, or the text of an error."""
        text = self.body if self._is_text else json.dumps(self.body)
        return Reply(self.status, "recorded", text.encode())

    @property
    def _is_text(self) -> bool:
        return isinstance(self.body, str) and (self.status != 200 or self.method != "GET")

    @property
    def endpoint(self) -> tuple[str, str]:
        """Method and path with its ids left open, and the operation after them."""
        path = re.sub(r"^(subnets|boot-resources|reservedips|vlans)/\d+/", r"\1/{id}/", self.path)
        path = re.sub(r"^(nodes|machines|devices|rackcontrollers)/\w{6}/", r"\1/{id}/", path)
        operation = self.query.get("op")
        return self.method, f"{path}?op={operation}" if operation else path


@cache
def exchanges() -> tuple[Exchange, ...]:
    """All of them, in the order in which they were recorded; none where they are absent."""
    if not EXCHANGES_FILE.exists():
        return ()
    found = []
    for number, entry in enumerate(json.loads(EXCHANGES_FILE.read_text())):
        parts = urlsplit(entry["path"])
        fields = entry["params"] or {} if entry["method"] == "GET" else {}
        query = {**dict(parse_qsl(parts.query)), **{key: str(fields[key]) for key in fields}}
        path = parts.path.removeprefix(BASE)
        known = (entry["title"], entry["method"], path, query, entry["status"], entry["body"])
        found.append(Exchange(number, *known))
    return tuple(found)


def recorded(title: str) -> Exchange:
    """The last exchange of that title."""
    return [exchange for exchange in exchanges() if exchange.title == title][-1]


def edited(title: str, **changes: Any) -> Exchange:
    """A recorded exchange whose body says something else in some fields."""
    exchange = recorded(title)
    return replace(exchange, body={**exchange.body, **changes})


def administrators_scene() -> list[Exchange]:
    """What an administrator of a healthy MAAS is answered. Skips where nothing is recorded."""
    if not EXCHANGES_FILE.exists():
        pytest.skip(ABSENT)
    return [
        exchange
        for exchange in exchanges()
        if exchange.status == 200 and not exchange.title.startswith("nonadmin")
    ]


@dataclass
class Replay:
    """MAAS as recorded: of exchanges that ask the same, the last one answers.

    ``instead`` answers by method and path before any recording does; ``used`` are the
    numbers of the exchanges that were given out. ``clock`` is MAAS' own, in seconds.
    """

    scene: Iterable[Exchange]
    instead: dict[str, Exchange | Reply] = field(default_factory=dict)
    used: set[int] = field(default_factory=set)
    asked: list[tuple[str, str]] = field(default_factory=list)
    clock: Callable[[], float] = time.time
    _nonces: set[str] = field(default_factory=set)

    def __call__(self, request: Asked) -> Reply:
        """The answer to one request."""
        parts = urlsplit(request.path)
        path, query = parts.path.removeprefix(BASE), dict(parse_qsl(parts.query))
        operation = f"?op={query['op']}" if "op" in query else ""
        self.asked.append((request.method, f"{path}{operation}"))
        refusal = self._refusal(request.headers.get("Authorization", ""), path)
        if refusal is not None:
            return refusal
        found = self.instead.get(f"{request.method} {path}{operation}") or self._recorded(
            request.method, path, query
        )
        if isinstance(found, Exchange):
            self.used.add(found.number)
            return found.reply
        return found

    def _recorded(self, method: str, path: str, query: Mapping[str, str]) -> Exchange:
        """The exchange with these parameters, whose values may differ only in how many events."""
        wanted = {key: value for key, value in query.items() if key != "limit"}
        for exchange in reversed(list(self.scene)):
            has = {key: value for key, value in exchange.query.items() if key != "limit"}
            same = (exchange.method, exchange.path, has) == (method, path, wanted)
            if same and exchange.query.keys() == query.keys():
                return exchange
        raise AssertionError(f"no recorded exchange: {method} {path} {dict(query)}")

    def _refusal(self, header: str, path: str) -> Reply | None:
        """MAAS' answer to a login that is not right; ``version/`` asks for none."""
        if path == "version/":
            return None
        login = dict(_fields(header))
        words = self._wrong(login) or self._unfresh(login)
        return Reply(401, "recorded", words.encode()) if words else None

    def _wrong(self, login: Mapping[str, str]) -> str | None:
        if login.get("oauth_consumer_key") != CONSUMER:
            return str(recorded("bad consumer").body)
        if login.get("oauth_token") != TOKEN:
            return str(recorded("bad token").body)
        signed = tuple(login.get(f"oauth_{name}") for name in ("signature_method", "signature"))
        if signed != ("PLAINTEXT", f"&{SECRET}"):
            # As MAAS does: it shows the signature that would have been right.
            return re.sub(r"&\w+", f"&{SECRET}", str(recorded("bad secret").body))
        return None

    def _unfresh(self, login: Mapping[str, str]) -> str | None:
        now, then = int(self.clock()), int(login["oauth_timestamp"])
        if abs(now - then) > CLOCK_S:
            text = str(recorded("stale timestamp").body)
            return re.sub(r"given \d+ and now \d+", f"given {then} and now {now}", text)
        if login["oauth_nonce"] in self._nonces:
            return f"Authorization Error: Nonce already used: {login['oauth_nonce']}"
        self._nonces.add(login["oauth_nonce"])
        return None


def _fields(header: str) -> Iterator[tuple[str, str]]:
    for name, value in re.findall(r'(oauth_\w+)="([^"]*)"', header):
        yield name, unquote(value)
