"""Calls of the MAAS API 2.0: OAuth 1.0 PLAINTEXT (RFC 5849, 3.4.4), TLS verified, all bounded.

requests-oauthlib signs. Nothing that MAAS says about a login is ever passed on: to a wrong
signature it answers with the one it had expected, which is the secret itself.
"""

from __future__ import annotations

import json
import logging
import queue
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any, Literal

import requests
from oauthlib.oauth1 import SIGNATURE_PLAINTEXT
from requests_oauthlib import OAuth1Session

from blackstart.drivers import trust
from blackstart.drivers.bounded import within
from blackstart.drivers.trust import pin, refused_certificate, root_cause, trust_store
from blackstart.drivers.whole_answer import TooLarge, limit
from blackstart.errors import DriverError, Rejected, TimedOut, Unreachable, UsageError
from blackstart.redaction import remember

CONNECT_S = 8.0
"""The TLS handshake included: 2 s were too short for a MAAS on an emulated processor that a
snapshot asks for everything at once."""
READ_S = 10.0
CALL_S = 19.0
WORDS = 200
GATEWAY = frozenset(
    {HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT}
)
NO_SUCH_ENDPOINT = "Unknown API endpoint"

# What MAAS says of a login (maasserver/api/auth.py, piston3/oauth.py), and what it means.
_EXPIRED = re.compile(r"Expired timestamp: given (\d+) and now (\d+)")
_LOGINS = (
    ("Invalid API key", "MAAS knows no such consumer: the key's first part is wrong"),
    ("Invalid consumer", "MAAS knows no such consumer: the key's first part is wrong"),
    ("Invalid access token", "MAAS knows no such token: the key was deleted or is another MAAS'"),
    ("Invalid signature", "the key's secret (its third part) is wrong"),
    ("Nonce already used", "the request was sent twice by something on the way"),
)
_TITLE = re.compile(r"<title>(.*?)</title>", re.IGNORECASE | re.DOTALL)

# Both log what they sign with at DEBUG, requests-oauthlib the whole Authorization header.
for _name in ("requests_oauthlib.oauth1_auth", "oauthlib.oauth1.rfc5849"):
    logging.getLogger(_name).addFilter(lambda record: record.levelno > logging.DEBUG)


@dataclass(frozen=True, slots=True)
class Key:
    """An API key, ``CONSUMER:TOKEN:SECRET``; its text shows neither token nor secret."""

    consumer: str
    token: str
    secret: str

    def __repr__(self) -> str:
        return f"Key({self.consumer}:…)"


def parse_key(text: str) -> Key:
    """Take ``CONSUMER:TOKEN:SECRET`` apart. Raises ``UsageError``, which does not show it."""
    parts = text.strip().split(":")
    if len(parts) != 3 or not all(re.fullmatch(r"[A-Za-z0-9]+", part) for part in parts):
        raise UsageError("the MAAS API key is not of the form CONSUMER:TOKEN:SECRET")
    for private in parts[1:]:
        remember(private)
    return Key(*parts)


class MaasApi:
    """The API of one MAAS. Thread-safe: each session is used by one thread at a time."""

    def __init__(
        self, url: str, *, key: Key, ca: Path | None, fingerprint: str | None = None
    ) -> None:
        """``url`` ends with ``/MAAS``; ``ca`` and ``fingerprint`` are of no use to ``http://``.

        ``fingerprint`` is the SHA-256 of the one certificate that is accepted, in place of
        a CA. Raises ``UsageError`` when there is nothing to verify TLS against.
        """
        self._base = f"{url.rstrip('/')}/api/2.0/"
        self._key = key
        self._fingerprint = fingerprint
        verified = url.startswith("https:") and fingerprint is None
        self._trust = trust_store(ca) if verified else None
        self._idle: queue.LifoQueue[requests.Session] = queue.LifoQueue()

    def get(self, path: str, /, **query: Any) -> Any:
        """The JSON of ``GET path`` (with its slash at the end); at most 19 s.

        Raises ``Unreachable`` or ``TimedOut`` when there was no answer or one of a gateway
        (502 to 504), and ``Rejected`` with MAAS' own words when it said no.
        """
        return self._bounded("GET", path, query).json()

    def post(self, path: str, /, **query: Any) -> None:
        """``POST path`` without a body, never sent twice; raises as ``get`` does."""
        self._bounded("POST", path, query)

    def close(self) -> None:
        """Close all connections that are idle."""
        with suppress(queue.Empty):
            while True:
                self._idle.get_nowait().close()

    def _bounded(
        self, method: Literal["GET", "POST"], path: str, query: Mapping[str, Any]
    ) -> _Answer:
        # requests bounds each wait for bytes, not the sum of them: hence the second bound.
        what = f"maas {method} {path}"
        answer = within(lambda: self._ask(method, path, query), timeout_s=CALL_S, what=what)
        if answer.status != HTTPStatus.OK:
            raise refused(answer.status, answer.text)
        return answer

    def _ask(self, method: Literal["GET", "POST"], path: str, query: Mapping[str, Any]) -> _Answer:
        try:
            session = self._idle.get_nowait()
        except queue.Empty:
            session = self._session()
        try:
            answer = _exchange(session, method, f"{self._base}{path}", query)
        except requests.RequestException as error:
            session.close()
            raise unanswered(error) from None
        except BaseException:
            session.close()
            raise
        self._idle.put(session)
        return answer

    def _session(self) -> OAuth1Session:
        session = OAuth1Session(
            self._key.consumer,
            client_secret="",
            resource_owner_key=self._key.token,
            resource_owner_secret=self._key.secret,
            signature_method=SIGNATURE_PLAINTEXT,
        )
        # No proxy and no other credentials from the environment: the key goes to MAAS alone.
        session.trust_env = False
        limit(session)
        if self._fingerprint is not None:
            pin(session, self._fingerprint)
        elif self._trust is not None:
            session.verify = self._trust
        return session


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode(errors="replace")

    def json(self) -> Any:
        """The body read as JSON. Raises ``Rejected`` for anything else, as a portal's page."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            raise Rejected(f"the answer is not the API's JSON: {_shortened(self.text)}") from None


def _exchange(
    session: requests.Session, method: str, url: str, query: Mapping[str, Any]
) -> _Answer:
    response = session.request(
        method,
        url,
        params=query,
        timeout=(CONNECT_S, READ_S),
        # requests-oauthlib signs a redirected request again, for whoever it leads to.
        allow_redirects=False,
    )
    return _Answer(response.status_code, response.content)


def unanswered(error: requests.RequestException) -> DriverError:
    """Why there was no answer, in the operating system's or OpenSSL's words."""
    match error:
        case TooLarge():
            return Rejected(f"MAAS: {error}")
        case requests.exceptions.SSLError():
            kind = trust.unanswered(root_cause(error))
            return kind(f"MAAS: {refused_certificate(error, 'maas')}")
        case requests.exceptions.ConnectTimeout():
            return Unreachable(f"MAAS: no connection within {CONNECT_S:.0f} s")
        case requests.exceptions.Timeout():
            # A handshake that takes too long is a Timeout and no ConnectTimeout to requests.
            return TimedOut(
                f"MAAS: no TLS connection within {CONNECT_S:.0f} s, "
                f"or no answer within {READ_S:.0f} s"
            )
        case _:
            return Unreachable(f"MAAS: {root_cause(error)}")


def refused(status: int, text: str) -> DriverError:
    """What an answer other than 200 means."""
    if status == HTTPStatus.UNAUTHORIZED:
        return Rejected(f"401 {_login(text)}")
    if status in GATEWAY:
        return Unreachable(f"MAAS answers {status}: {_shortened(text)}")
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        return Rejected(f"{status} it leads elsewhere, where the key is not sent; correct `url:`")
    return Rejected(f"{status} {_shortened(text)}")


def _login(text: str) -> str:
    expired = _EXPIRED.search(text)
    if expired:
        ahead = int(expired[1]) - int(expired[2])
        side = "ahead of" if ahead > 0 else "behind"
        return (
            f"the clocks differ: this machine's is {abs(ahead)} s {side} MAAS', which accepts 300 s"
        )
    return next(
        (meaning for words, meaning in _LOGINS if words in text),
        "MAAS did not accept the key",
    )


def _shortened(text: str) -> str:
    """One line of it: of a page only the title."""
    title = _TITLE.search(text)
    words = " ".join((title[1] if title else text).split())
    return words if len(words) <= WORDS else f"{words[:WORDS]}…"
