"""Redfish's error answers (DMTF DSP0266, "Error responses")."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

REGISTRY = "Base.1.18"
OWN_REGISTRY = "Blackstart.1.0"
OWN_MESSAGES = ("PowerStateConflict",)
UNAUTHORIZED = 401


class RedfishError(Exception):
    """A refused request: HTTP status and a message key of the Base registry (or our own)."""

    def __init__(self, status: int, key: str, message: str, *, resolution: str = "None.") -> None:
        super().__init__(message)
        self.status = status
        self.key = key
        self.message = message
        self.resolution = resolution

    def body(self) -> dict[str, Any]:
        """The error object as the standard has it."""
        registry = OWN_REGISTRY if self.key in OWN_MESSAGES else REGISTRY
        details = {
            "@odata.type": "#Message.v1_1_2.Message",
            "MessageId": f"{registry}.{self.key}",
            "Message": self.message,
            "MessageSeverity": "Warning",
            "Resolution": self.resolution,
        }
        return {
            "error": {
                "code": f"{registry}.{self.key}",
                "message": self.message,
                "@Message.ExtendedInfo": [details],
            }
        }


@web.middleware
async def rejected(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Turn every refusal into the standard's error answer."""
    try:
        return await handler(request)
    except RedfishError as error:
        refusal = error
    except web.HTTPMethodNotAllowed as error:
        refusal = RedfishError(error.status, "OperationNotAllowed", "method not allowed here")
    headers = {"WWW-Authenticate": 'Basic realm="Redfish"'}
    return web.json_response(
        refusal.body(),
        status=refusal.status,
        headers=headers if refusal.status == UNAUTHORIZED else None,
    )
