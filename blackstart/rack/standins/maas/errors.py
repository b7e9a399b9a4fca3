"""What the API refuses: a status, a text or one text per field, and the content type of it."""

from __future__ import annotations

import json
from http import HTTPStatus

TEXT = "text/plain; charset=utf-8"
BARE_TEXT = "text/plain"
"""What errors of Django's own carry, such as that of an object which is not there."""
HTML = "text/html; charset=utf-8"
JSON = "application/json; charset=utf-8"
ADMIN_ONLY = "This method is reserved for admin users."


class Refused(Exception):
    """An answer other than 2xx."""

    def __init__(self, status: int, text: str, kind: str = TEXT) -> None:
        super().__init__(text)
        self.status = int(status)
        self.text = text
        self.kind = kind


class Invalid(Refused):
    """400: ``errors`` has the texts for each field, ``__all__`` for the whole."""

    def __init__(self, errors: dict[str, list[str]], kind: str = JSON) -> None:
        super().__init__(HTTPStatus.BAD_REQUEST, json.dumps(errors), kind)


def invalid(field: str, text: str) -> Invalid:
    """One field is wrong."""
    return Invalid({field: [text]})


def unauthorized(text: str) -> Refused:
    """401: a login that was tried and is wrong."""
    return Refused(HTTPStatus.UNAUTHORIZED, f"Authorization Error: {text}", HTML)


def anonymous() -> Refused:
    """401: no login at all, or none that can be read as one."""
    return Refused(HTTPStatus.UNAUTHORIZED, "Forbidden", BARE_TEXT)


def forbidden(text: str = ADMIN_ONLY) -> Refused:
    """403."""
    return Refused(HTTPStatus.FORBIDDEN, text)


def missing(kind: str) -> Refused:
    """404: no object of that kind is there, or none that the user may see."""
    return Refused(HTTPStatus.NOT_FOUND, f"No {kind} matches the given query.", BARE_TEXT)


def unrecognised(method: str, operation: str | None) -> Refused:
    """400: the path is known, and has no such operation."""
    text = f"Unrecognised signature: method={method} op={operation}"
    return Refused(HTTPStatus.BAD_REQUEST, text)
