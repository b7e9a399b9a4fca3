"""``/nodes/NODE/tasks``: what was done, and how it ended."""

from __future__ import annotations

from typing import Any

from ..parameters import BOOLEAN, COUNT, NODE, STRING, VMID, Parameter, choice
from ..routing import Call, Endpoint, Page
from ..tasks import OK
from ..upid import Upid, parse_upid

DEFAULT_LIMIT = 50


def _list(call: Call) -> Page:
    rows: list[tuple[Upid, dict[str, Any]]] = []
    source = call.text("source", "archive")
    if source in ("active", "all"):
        rows += [(upid, {}) for upid in call.node.tasks.active()]
    if source in ("archive", "all"):
        rows += [
            (entry.upid, {"endtime": entry.ended, "status": entry.status})
            for entry in call.node.tasks.finished()
        ]
    audits = call.identity.may(f"/nodes/{call.node.name}", "Sys.Audit")
    kept = [
        upid.fields() | {"pid": upid.pid, "pstart": upid.pstart} | ending
        for upid, ending in rows
        if (audits or call.identity.owns(upid.user)) and _matches(call, upid, ending)
    ]
    begin = call.number("start")
    limit = call.number("limit", DEFAULT_LIMIT) or len(kept)
    return Page(kept[begin : begin + limit], len(kept))


def _matches(call: Call, upid: Upid, ending: dict[str, Any]) -> bool:
    status = ending.get("status")
    wanted = set(call.text("statusfilter").replace(",", " ").split())
    return (
        call.text("typefilter", upid.kind) == upid.kind
        and call.text("vmid", upid.subject) == upid.subject
        and call.text("userfilter").lower() in upid.user.lower()
        and call.number("since") <= upid.starttime
        and upid.starttime <= call.number("until", upid.starttime)
        and not (call.flag("errors") and _class(status) != "error")
        and (not wanted or _class(status) in wanted)
    )


def _class(status: str | None) -> str:
    if status is None:
        return "unknown"
    if status == OK:
        return "ok"
    return "warning" if status.startswith("WARNINGS: ") else "error"


def _status(call: Call) -> dict[str, Any]:
    _require_visible(call)
    return dict(call.node.tasks.status(call.text("upid")))


def _log(call: Call) -> Page:
    _require_visible(call)
    lines = call.node.tasks.log(call.text("upid"))
    begin = call.number("start")
    limit = call.number("limit", DEFAULT_LIMIT) or len(lines)
    numbered = [{"n": n, "t": text} for n, text in enumerate(lines, start=1)]
    return Page(numbered[begin : begin + limit], len(lines))


def _require_visible(call: Call) -> None:
    if not call.identity.owns(parse_upid(call.text("upid")).user):
        call.identity.require(f"/nodes/{call.node.name}", "Sys.Audit")


_TASK = {"node": NODE, "upid": Parameter()}
_SECONDS = Parameter("integer", optional=True)
ENDPOINTS = (
    Endpoint(
        "GET",
        "/nodes/{node}/tasks",
        _list,
        {
            "node": NODE,
            "errors": BOOLEAN,
            "limit": COUNT,
            "since": _SECONDS,
            "source": choice("archive", "active", "all"),
            "start": COUNT,
            "statusfilter": STRING,
            "typefilter": STRING,
            "until": _SECONDS,
            "userfilter": STRING,
            "vmid": VMID.maybe(),
        },
    ),
    Endpoint("GET", "/nodes/{node}/tasks/{upid}/status", _status, _TASK),
    Endpoint(
        "GET",
        "/nodes/{node}/tasks/{upid}/log",
        _log,
        _TASK | {"download": BOOLEAN, "limit": COUNT, "start": COUNT},
    ),
)
