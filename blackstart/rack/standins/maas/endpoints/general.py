"""Version, who asks, settings, the event log."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from .. import API_ROOT, SUBVERSION, VERSION, views
from ..errors import BARE_TEXT, Invalid, Refused
from ..events import KEPT, LEVELS
from ..routing import Answer, Call, Endpoint, text
from ..settings import NAMES
from ..store import Record, find

CAPABILITIES = [
    "networks-management",
    "static-ipaddresses",
    "ipv6-deployment-ubuntu",
    "devices-management",
    "storage-deployment-ubuntu",
    "network-deployment-ubuntu",
    "bridging-interface-ubuntu",
    "bridging-automatic-ubuntu",
    "authenticate-api",
]
DEFAULT_EVENTS = 100
_JSON = "application/json"


def _version(_call: Call) -> Any:
    return {"capabilities": CAPABILITIES, "version": VERSION, "subversion": SUBVERSION}


def _whoami(call: Call) -> Any:
    record = find(call.maas.store.snapshot(), "users", id=call.user.id)
    return views.user(record or {})


def _get_config(call: Call) -> Any:
    name = _setting(call)
    return Answer(call.maas.store.snapshot()["config"].get(name), kind=_JSON)


def _set_config(call: Call) -> Any:
    name, value = _setting(call), call.values.get("value", "")
    with call.maas.store.changing() as state:
        state["config"][name] = {"true": True, "false": False}.get(value.lower(), value)
    return text("OK", BARE_TEXT)


def _setting(call: Call) -> str:
    """The setting that is meant. Raises ``Refused`` for one that MAAS does not have."""
    name = call.values.get("name", "")
    if not name:
        raise Refused(HTTPStatus.BAD_REQUEST, "No provided name!")
    if name not in NAMES:
        known = ", ".join(NAMES)
        words = f"{name} is not a valid config setting (valid settings are: {known})."
        raise Invalid({name: [words]}, _JSON)
    return name


def _events(call: Call) -> Any:
    level = call.values.get("level", "INFO")
    limit = int(call.values.get("limit") or DEFAULT_EVENTS)
    if level not in LEVELS:
        raise Refused(HTTPStatus.BAD_REQUEST, f"Unrecognised log level: {level}")
    if limit > KEPT:
        words = f"Requested number of events {limit} is greater than limit: {KEPT}"
        raise Refused(HTTPStatus.BAD_REQUEST, words)
    # Of a node that a user may not see they see nothing either; here all nodes are others'.
    mine = call.maas.store.snapshot()["events"] if call.user.is_superuser else []
    found = [event for event in reversed(mine) if _asked_for(event, level, call)][:limit]
    return {
        "count": len(found),
        "events": [_event(event) for event in found],
        "next_uri": _page(call, "after", found[0]["id"] if found else None),
        "prev_uri": _page(call, "before", found[-1]["id"]) if found else None,
    }


def _asked_for(event: Record, level: str, call: Call) -> bool:
    given = call.values
    if LEVELS.index(event["level"]) < LEVELS.index(level):
        return False
    if "hostname" in given and event["hostname"] != given["hostname"]:
        return False
    if "id" in given and event["node"] != given["id"]:
        return False
    if "after" in given and event["id"] <= int(given["after"]):
        return False
    return "before" not in given or event["id"] < int(given["before"])


def _event(event: Record) -> dict[str, Any]:
    names = ("username", "node", "hostname", "id", "level", "type", "description")
    return {name: event[name] for name in names} | {"created": views.spoken(event["created"])}


def _page(call: Call, side: str, number: int | None) -> str:
    given = {key: value for key, value in call.values.items() if key not in ("after", "before")}
    if number is not None:
        given[side] = str(number)
    return f"{API_ROOT}events/?{urlencode({'op': 'query', **given})}"


ENDPOINTS = (
    Endpoint("GET", "version/", _version, open_to_all=True),
    Endpoint("GET", "users/", _whoami, "whoami"),
    Endpoint("GET", "maas/", _get_config, "get_config"),
    Endpoint("POST", "maas/", _set_config, "set_config", admin=True),
    Endpoint("GET", "events/", _events, "query"),
)
