"""Endpoints: path, parameters, permission, and what answers."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .access import Gatekeeper, Identity
from .errors import Forbidden, NotImplementedHere
from .node import Node
from .parameters import Parameter, Value

_PLACEHOLDER = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Call:
    """A call that has passed all checks. ``identity`` is None only for the login."""

    node: Node
    gatekeeper: Gatekeeper
    who: Identity | None
    values: Mapping[str, Value]

    @property
    def identity(self) -> Identity:
        """Who is asking."""
        if self.who is None:
            raise Forbidden("not authenticated")
        return self.who

    def text(self, name: str, default: str = "") -> str:
        """A string parameter."""
        return str(self.values.get(name, default))

    def number(self, name: str, default: int = 0) -> int:
        """An integer parameter."""
        return int(self.values.get(name, default))

    def flag(self, name: str) -> bool:
        """A boolean parameter, false when it is not given."""
        return bool(self.values.get(name, 0))


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a longer list, with the whole list's length."""

    data: Sequence[Any]
    total: int


@dataclass(frozen=True, slots=True)
class Permission:
    """Any of ``privileges`` on ``path``, whose placeholders are parameters of the call."""

    path: str
    privileges: tuple[str, ...]

    def require(self, identity: Identity, parameters: Mapping[str, str]) -> None:
        """Raise ``Forbidden`` when the caller lacks it."""
        identity.require(self.path.format_map(parameters), *self.privileges)


Handler = Callable[[Call], Any]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One method of one path. ``open_to_all`` needs no login."""

    method: str
    path: str
    handler: Handler
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    permission: Permission | None = None
    open_to_all: bool = False


class Router:
    """All endpoints of the stand-in."""

    def __init__(self, endpoints: Sequence[Endpoint]) -> None:
        self.endpoints = tuple(endpoints)
        self._patterns = [(_pattern(endpoint.path), endpoint) for endpoint in endpoints]

    def find(self, method: str, path: str) -> tuple[Endpoint, dict[str, str]]:
        """The endpoint and the parameters in its path; raises ``NotImplementedHere``."""
        for pattern, endpoint in self._patterns:
            match = pattern.fullmatch(path)
            if match and endpoint.method == method:
                return endpoint, match.groupdict()
        raise NotImplementedHere(f"Method '{method} {path}' not implemented")


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(_PLACEHOLDER.sub(r"(?P<\1>[^/]+)", path))
