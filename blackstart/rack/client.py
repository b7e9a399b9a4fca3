"""Talking to the rack's controller over its command socket."""

from __future__ import annotations

from typing import Any

import httpx

from blackstart.rack.errors import RackError
from blackstart.rack.home import CONTROLLER_SOCKET

SHORT_S = 10.0
LONG_S = 150.0


def call(method: str, path: str, timeout: float = SHORT_S) -> dict[str, Any]:
    """One command; returns the controller's answer.

    ``timeout`` is in seconds. Raises `RackError` when the controller does not
    answer in time or refuses.
    """
    transport = httpx.HTTPTransport(uds=str(CONTROLLER_SOCKET))
    try:
        with httpx.Client(transport=transport, base_url="http://rack", timeout=timeout) as client:
            answer = client.request(method, path)
    except httpx.HTTPError as error:
        raise RackError(
            f"the rack's controller does not answer ({error})", "blackstart rack up"
        ) from error
    body: dict[str, Any] = answer.json() if "json" in answer.headers["content-type"] else {}
    if answer.is_error:
        raise RackError(body.get("problem", f"the rack's controller: {answer.text}"))
    return body
