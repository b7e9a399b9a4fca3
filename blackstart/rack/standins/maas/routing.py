"""Endpoints: path, operation, who may call it, and what answers."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from . import API_ROOT
from .dhcpd import DhcpServer
from .errors import BARE_TEXT, HTML, JSON, TEXT, Refused, anonymous, forbidden, unrecognised
from .images import ImageSync
from .oauth import User
from .store import Store
from .units import UnitControl

_PLACEHOLDER = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Maas:
    """What answers are made of: the state, the services around it, the image sync."""

    store: Store
    units: UnitControl
    dhcp: DhcpServer
    images: ImageSync


@dataclass(frozen=True, slots=True)
class Call:
    """A call that has passed all checks. ``values``: query and form together, as text."""

    maas: Maas
    who: User | None
    in_path: Mapping[str, str]
    values: Mapping[str, str]

    @property
    def user(self) -> User:
        """Who is asking. Raises ``Refused`` for nobody."""
        if self.who is None:
            raise anonymous()
        return self.who

    def number(self, name: str) -> int:
        """A number in the path, which the endpoint's pattern has made sure of."""
        return int(self.in_path[name])


@dataclass(frozen=True, slots=True)
class Answer:
    """What is sent: JSON of ``content``, or text as it is."""

    content: Any
    status: int = 200
    kind: str = JSON


def text(content: str, kind: str = TEXT) -> Answer:
    """A line of text."""
    return Answer(content, kind=kind)


DELETED = Answer("", int(HTTPStatus.NO_CONTENT), BARE_TEXT)
Handler = Callable[[Call], Any]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One operation of one path, whose numbers are written ``{id}``, names ``{system_id}``.

    ``admin`` is for administrators alone, ``open_to_all`` needs no login. On a path that is
    ``for_anonymous`` MAAS has other operations for whoever has no login (``AnonMachinesHandler``),
    none of which are here.
    """

    method: str
    path: str
    handler: Handler
    operation: str | None = None
    admin: bool = False
    open_to_all: bool = False
    for_anonymous: bool = False

    def require_leave(self, user: User | None) -> None:
        """Raise ``Refused`` when the user may not call it."""
        if self.admin and not (user and user.is_superuser):
            raise forbidden()


class Router:
    """All endpoints of the stand-in."""

    def __init__(self, endpoints: Sequence[Endpoint]) -> None:
        self.endpoints = tuple(endpoints)
        self._patterns = [(_pattern(endpoint.path), endpoint) for endpoint in endpoints]

    def at(self, path: str) -> tuple[list[Endpoint], Mapping[str, str]]:
        """The endpoints of a path, and what stands in it. Raises ``Refused`` for no path."""
        found, in_path = [], {}
        for pattern, endpoint in self._patterns:
            match = pattern.fullmatch(path.removeprefix(API_ROOT))
            if match and path.startswith(API_ROOT):
                found.append(endpoint)
                in_path = match.groupdict()
        if not found:
            raise Refused(HTTPStatus.NOT_FOUND, f"Unknown API endpoint: {path}.")
        return found, in_path


def choose(endpoints: Sequence[Endpoint], method: str, operation: str | None) -> Endpoint:
    """The one that is called. Raises ``Refused`` when the path has no such operation."""
    ours = [endpoint for endpoint in endpoints if endpoint.method == method]
    if not ours and operation is None:
        raise Refused(HTTPStatus.METHOD_NOT_ALLOWED, "", HTML)
    for endpoint in ours:
        if endpoint.operation == operation:
            return endpoint
    raise unrecognised(method, operation)


def _pattern(path: str) -> re.Pattern[str]:
    def group(match: re.Match[str]) -> str:
        number = match[1].endswith("id") and match[1] != "system_id"
        return f"(?P<{match[1]}>{r'[0-9]+' if number else r'[^/]+'})"

    return re.compile(_PLACEHOLDER.sub(group, path))
