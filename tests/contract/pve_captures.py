"""Recorded answers of the genuine Proxmox VE 9.1.7: how each was asked, and what came.

Each file begins with the request (a curl command line, or verb and path), then
the answer with status line, headers and body.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.contract.pve_schema import CAPTURES

API = "/api2/json"
_URL = re.compile(r"https://127\.0\.0\.1:8006(\S+)")
_PLAIN = re.compile(r"# (GET|POST|PUT|DELETE) (/\S+)$")
_OPTION = {
    "method": re.compile(r"-X (\w+)"),
    "cookie": re.compile(r"-b PVEAuthCookie=(\S+)"),
    "token": re.compile(r"-H Authorization: (\S+)"),
}
_DATA = re.compile(r"-d (\S+)")
_UPID = re.compile(r"UPID:[\w-]+:[0-9A-F]{8}:[0-9A-F]{8,9}:[0-9A-F]{8}:(\w+:\w*:\S+:)")
_NAMES_ITS_ELEMENT = ("key", "upid", "volid", "storage", "vmid", "node", "type", "n")


@dataclass(frozen=True)
class Capture:
    """One recorded exchange; ``body`` is None when the answer had none."""

    name: str
    method: str
    path: str
    cookie: str | None
    token: str | None
    csrf: bool
    data: dict[str, str]
    status: int
    reason: str
    body: Any

    @property
    def query(self) -> dict[str, str]:
        """Parameters in the path."""
        return dict(parse_qsl(urlsplit(self.path).query))

    @property
    def bare_path(self) -> str:
        """The path below the API's root, without parameters."""
        return urlsplit(self.path).path


def read_capture(name: str) -> Capture:
    """Read one file; raises ``ValueError`` when it holds no single exchange."""
    request, _, answer = (CAPTURES / name).read_text().partition("\n")
    head, _, body = answer.partition("\n\n")
    _, status, reason = head.splitlines()[0].split(" ", 2)
    body = re.sub(r"^# took .*$", "", body, flags=re.MULTILINE).strip()
    plain, url = _PLAIN.match(request), _URL.search(request)
    if not plain and not url:
        raise ValueError(f"{name}: no request in {request!r}")
    data = dict(part.split("=", 1) for part in _DATA.findall(request))
    path = plain[2] if plain else url[1] if url else ""
    verb = plain[1] if plain else _option("method", request) or ("POST" if data else "GET")
    return Capture(
        name=name,
        method=verb,
        path=path.removeprefix(API),
        cookie="<TICKET>" if plain else _option("cookie", request),
        token=_option("token", request),
        csrf="CSRFPreventionToken: <CSRF>" in request,
        data=data,
        status=int(status),
        reason=reason,
        body=json.loads(body) if body else None,
    )


def _option(name: str, request: str) -> str | None:
    found = _OPTION[name].search(request)
    return found[1] if found else None


def differences(theirs: Any, ours: Any, where: str = "body") -> Iterator[str]:
    """Where our answer lacks what the recorded one has, or has it in another type."""
    if isinstance(theirs, dict):
        if not isinstance(ours, dict):
            yield f"{where}: {ours!r} is no object"
            return
        for key, value in theirs.items():
            if key not in ours:
                yield f"{where}.{key}: is missing"
            else:
                yield from differences(value, ours[key], f"{where}.{key}")
    elif isinstance(theirs, list):
        yield from _list_differences(theirs, ours, where)
    elif isinstance(theirs, str) and _UPID.fullmatch(theirs):
        if not isinstance(ours, str) or not _same_task(theirs, ours):
            yield f"{where}: {ours!r} is not a task like {theirs!r}"
    elif _kind(theirs) != _kind(ours):
        yield f"{where}: {ours!r} is not of the type of {theirs!r}"


def _list_differences(theirs: list[Any], ours: Any, where: str) -> Iterator[str]:
    if not isinstance(ours, list):
        yield f"{where}: {ours!r} is no list"
        return
    if not theirs and ours:
        yield f"{where}: is not empty"
    for element in theirs:
        matches = [other for other in ours if _same_element(element, other)]
        if not matches:
            yield f"{where}: has nothing like {element!r}"
        else:
            yield from differences(element, matches[0], f"{where}[{_title(element)}]")


def _same_element(one: Any, other: Any) -> bool:
    if not isinstance(one, dict) or not isinstance(other, dict):
        return _kind(one) == _kind(other)
    return all(one.get(name) == other.get(name) for name in _NAMES_ITS_ELEMENT if name in one)


def _same_task(one: str, other: str) -> bool:
    first, second = _UPID.fullmatch(one), _UPID.fullmatch(other)
    return first is not None and second is not None and first[1] == second[1]


def _title(element: Any) -> str:
    names = [str(element[name]) for name in _NAMES_ITS_ELEMENT if name in element]
    return " ".join(names)


def _kind(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return repr(value)
    return "number" if isinstance(value, int | float) else type(value).__name__
