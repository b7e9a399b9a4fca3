"""Whole answers of HTTP servers, and none without an end.

requests and urllib3 read a body until the server is done. Where one never is (a device that
streams, a proxy gone mad), the call's own bound lets the caller go on, and the thread it left
behind fills the memory of the machine that holds the drill. So a body has a largest size.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import requests
from requests.adapters import HTTPAdapter

MAX_BYTES = 64 << 20
"""Of one answer, unpacked; a machine is about 40 KiB in MAAS' ``machines/``."""
CHUNK = 1 << 16


class TooLarge(requests.RequestException):
    """The body is larger than ``MAX_BYTES``; its connection is of no use any more."""


def whole(chunks: Iterable[bytes]) -> bytes:
    """All of a body. Raises ``TooLarge``."""
    parts: list[bytes] = []
    size = 0
    for chunk in chunks:
        parts.append(chunk)
        size += len(chunk)
        if size > MAX_BYTES:
            raise TooLarge(f"the answer is larger than {MAX_BYTES >> 20} MiB")
    return b"".join(parts)


class Limited(HTTPAdapter):
    """Connections whose answers have an end: they are read here, as far as the bound."""

    def send(self, *args: Any, **settings: Any) -> requests.Response:
        """As ``requests`` does it, and the body with it. Raises ``TooLarge`` too."""
        response = super().send(*args, **settings)
        try:
            response._content = whole(response.iter_content(CHUNK))
        except BaseException:
            response.close()
            raise
        return response


def limit(session: requests.Session) -> None:
    """Have every answer that a session gets end."""
    for scheme in ("https://", "http://"):
        session.mount(scheme, Limited())
