"""The API as a command in the guest calls it, with an administrator's key."""

from __future__ import annotations

import http.client
import json
import secrets
import ssl
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from . import API_PORT, API_ROOT
from .layout import Layout
from .store import State

CALL_LIMIT_S = 90.0
"""A change of reservations is answered once dhcpd has started again."""


class Refusal(Exception):
    """MAAS or dhcpd said no, in its own words."""


@dataclass(frozen=True, slots=True)
class Client:
    """One key, ``CONSUMER:TOKEN:SECRET`` in parts, at one address."""

    address: str
    consumer: str
    token: str
    secret: str = field(repr=False)
    trust: ssl.SSLContext = field(repr=False)
    port: int = API_PORT

    @classmethod
    def of_administrator(cls, layout: Layout, state: State) -> Client:
        """With the key of the first administrator. Raises ``Refusal`` when there is none."""
        keys = [key for user in state["users"] if user["is_superuser"] for key in user["keys"]]
        if not keys:
            raise Refusal("no administrator has a key")
        trust = ssl.create_default_context(cafile=str(layout.authority))
        return cls(state["dhcp"]["server"], **keys[0], trust=trust)

    def call(self, method: str, path: str, form: dict[str, str] | None = None) -> Any:
        """The JSON or text of an answer.

        Raises ``Refusal`` for a status other than 2xx, ``OSError`` for no answer.
        """
        server = http.client.HTTPSConnection(
            self.address, self.port, timeout=CALL_LIMIT_S, context=self.trust
        )
        headers = {"Authorization": self._login()}
        body = urlencode(form) if form is not None else None
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        try:
            server.request(method, API_ROOT + path, body, headers)
            answer = server.getresponse()
            text, kind = answer.read().decode(), answer.headers.get_content_type()
        except http.client.HTTPException as error:
            raise Refusal(f"no answer of the API: {error!r}") from error
        finally:
            server.close()
        if answer.status >= 300:
            raise Refusal(f"{answer.status} {text}")
        return json.loads(text) if kind == "application/json" else text

    def _login(self) -> str:
        fields = {
            "oauth_version": "1.0",
            "oauth_signature_method": "PLAINTEXT",
            "oauth_consumer_key": self.consumer,
            "oauth_token": self.token,
            "oauth_signature": f"%26{self.secret}",
            "oauth_nonce": secrets.token_hex(8),
            "oauth_timestamp": str(int(time.time())),
        }
        return "OAuth " + ", ".join(f'{name}="{value}"' for name, value in fields.items())
