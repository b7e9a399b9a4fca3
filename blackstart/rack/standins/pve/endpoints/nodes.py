"""``/nodes/NODE``: the hypervisor itself."""

from __future__ import annotations

from typing import Any

from .. import hoststats
from ..nodeviews import certificates, clock, host_names, units
from ..parameters import NODE, VMID
from ..routing import Call, Endpoint, Permission


def _status(call: Call) -> dict[str, Any]:
    stats = call.node.broadcast.heard(call.node.name, "stats") or {}
    return hoststats.full() | {"cpu": stats.get("node", {}).get("cpu", 0)}


def _certificates(call: Call) -> list[dict[str, Any]]:
    return certificates(call.node.layout)


def _time(_call: Call) -> dict[str, Any]:
    return clock()


def _services(call: Call) -> list[dict[str, Any]]:
    return units(call.node.layout)


def _hosts(call: Call) -> dict[str, Any]:
    return host_names(call.node.layout)


def _none_here(_call: Call) -> list[dict[str, Any]]:
    return []  # the rack has no ZFS pool, no thin pool, and replicates no guest


_NODE = {"node": NODE}
_AUDIT = Permission("/nodes/{node}", ("Sys.Audit",))
_AUDIT_ALL = Permission("/", ("Sys.Audit",))
ENDPOINTS = (
    Endpoint("GET", "/nodes/{node}/status", _status, _NODE, _AUDIT),
    Endpoint("GET", "/nodes/{node}/certificates/info", _certificates, _NODE),
    Endpoint("GET", "/nodes/{node}/time", _time, _NODE, _AUDIT),
    Endpoint("GET", "/nodes/{node}/services", _services, _NODE, _AUDIT),
    Endpoint("GET", "/nodes/{node}/hosts", _hosts, _NODE, _AUDIT_ALL),
    Endpoint("GET", "/nodes/{node}/disks/zfs", _none_here, _NODE, _AUDIT_ALL),
    Endpoint("GET", "/nodes/{node}/disks/lvmthin", _none_here, _NODE, _AUDIT_ALL),
    Endpoint("GET", "/nodes/{node}/replication", _none_here, _NODE | {"guest": VMID.maybe()}),
)
