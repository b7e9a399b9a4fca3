"""Who asks: OAuth 1.0 with PLAINTEXT signatures (RFC 5849, 3.4.4), checked as MAAS does.

The order is the genuine one (piston3/oauth.py): consumer, token, timestamp, nonce, signature. So
are the texts, the one that shows the signature which was expected among them: with PLAINTEXT that
is the secret. Nonces are kept in memory: after a restart one of the last 300 s would be taken
again, where MAAS has them in its database.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from .errors import unauthorized
from .store import Record, State

CLOCK_S = 300
PLAINTEXT = "PLAINTEXT"
NEEDED = tuple(
    f"oauth_{name}"
    for name in ("consumer_key", "token", "signature", "signature_method", "timestamp", "nonce")
)
_FIELD = re.compile(r'\s*([\w]+)="([^"]*)"')


@dataclass(frozen=True, slots=True)
class User:
    """The owner of a key."""

    id: int
    username: str
    email: str
    is_superuser: bool


class Gatekeeper:
    """Checks logins; ``clock`` in seconds since 1970."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._seen: dict[tuple[str, str, str], float] = {}

    def identify(self, header: str | None, state: State) -> User | None:
        """The user who signed a request; ``None`` without a login, or one that is none.

        Raises ``Refused`` (401) for a login that is wrong.
        """
        given = _fields(header or "")
        if any(name not in given for name in NEEDED) or not given["oauth_timestamp"].isdigit():
            return None
        owner, key = _owner(given, state)
        self._require_fresh(given)
        if given["oauth_signature_method"] != PLAINTEXT:
            method = given["oauth_signature_method"]
            raise unauthorized(
                f"'Signature method {method} not supported try one of the following: {PLAINTEXT}'"
            )
        if given["oauth_signature"] != f"&{key['secret']}":
            raise unauthorized(
                f"'Invalid signature. Expected signature base string: &{key['secret']}'"
            )
        return User(owner["id"], owner["username"], owner["email"], owner["is_superuser"])

    def _require_fresh(self, given: Mapping[str, str]) -> None:
        now, then = int(self._clock()), int(given["oauth_timestamp"])
        if abs(now - then) > CLOCK_S:
            raise unauthorized(
                f"'Expired timestamp: given {then} and now {now} has a greater difference "
                f"than threshold {CLOCK_S}'"
            )
        nonce = given["oauth_nonce"]
        used = (given["oauth_consumer_key"], given["oauth_token"], nonce)
        with self._lock:
            # What is older than the clock may be wrong is refused for its timestamp.
            oldest = now - 2 * CLOCK_S
            self._seen = {key: when for key, when in self._seen.items() if when >= oldest}
            if used in self._seen:
                raise unauthorized(f"'Nonce already used: {nonce}'")
            self._seen[used] = now


def _fields(header: str) -> dict[str, str]:
    scheme, _, rest = header.partition(" ")
    if scheme != "OAuth":
        return {}
    return {name: unquote(value) for name, value in _FIELD.findall(rest)}


def _owner(given: Mapping[str, str], state: State) -> tuple[Record, Record]:
    """The user of the key and the key. Raises ``Refused`` when there is no such key."""
    keys = [(user, key) for user in state["users"] for key in user["keys"]]
    ours = [pair for pair in keys if pair[1]["consumer"] == given["oauth_consumer_key"]]
    if not ours:
        raise unauthorized("Invalid API key.")
    for user, key in ours:
        if key["token"] == given["oauth_token"]:
            return user, key
    raise unauthorized(f"'Invalid access token: {given['oauth_token']}'")
