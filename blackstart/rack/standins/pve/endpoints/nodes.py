"""``/nodes/NODE``: the hypervisor itself."""

from __future__ import annotations

from typing import Any

from .. import hoststats
from ..parameters import NODE
from ..routing import Call, Endpoint, Permission


def _status(call: Call) -> dict[str, Any]:
    stats = call.node.broadcast.heard(call.node.name, "stats") or {}
    return hoststats.full() | {"cpu": stats.get("node", {}).get("cpu", 0)}


ENDPOINTS = (
    Endpoint(
        "GET",
        "/nodes/{node}/status",
        _status,
        {"node": NODE},
        Permission("/nodes/{node}", ("Sys.Audit",)),
    ),
)
