"""What the stand-in refuses, and how.

Died                        500, a task's exit status, or exit code 255 of a command
└── Refused                 any other status of the API
    ├── BadParameters       400, with a text for each parameter
    ├── Forbidden           403
    ├── Unauthorized        401
    ├── NotImplementedHere  501
    └── PeerUnreachable     595 and 596, which have an empty body
"""

from __future__ import annotations

from http import HTTPStatus

PEER_UNREACHABLE = 595
PEER_TLS = 596


class Died(Exception):
    """The vendor's ``die``: one line of text that reaches whoever asked."""

    status = int(HTTPStatus.INTERNAL_SERVER_ERROR)
    has_body = True

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


class Refused(Died):
    """An answer with a status of its own."""


class BadParameters(Refused):
    """400: ``errors`` holds one text per parameter."""

    status = int(HTTPStatus.BAD_REQUEST)

    def __init__(self, errors: dict[str, str]) -> None:
        super().__init__("Parameter verification failed.")
        self.errors = errors


class Forbidden(Refused):
    """403: authenticated, and not allowed."""

    status = int(HTTPStatus.FORBIDDEN)

    def __init__(self, what: str) -> None:
        super().__init__(f"Permission check failed ({what})")


class Unauthorized(Refused):
    """401: only the refusal of a login has a body."""

    status = int(HTTPStatus.UNAUTHORIZED)

    def __init__(self, text: str, *, has_body: bool = False) -> None:
        super().__init__(text)
        self.has_body = has_body


class NotImplementedHere(Refused):
    """501: no such path, or not with this verb."""

    status = int(HTTPStatus.NOT_IMPLEMENTED)


class PeerUnreachable(Refused):
    """595 (no connection) or 596 (TLS) instead of another node's answer."""

    has_body = False

    def __init__(self, text: str, status: int = PEER_UNREACHABLE) -> None:
        super().__init__(text)
        self.status = status
