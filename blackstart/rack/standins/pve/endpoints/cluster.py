"""``/cluster``: the whole of it as this node knows it."""

from __future__ import annotations

from typing import Any

from ..backupjobs import jobs, not_covered
from ..clusterview import node_entries, resources
from ..parameters import NODE, choice
from ..quorumviews import options, quorum_device, voting_nodes
from ..routing import Call, Endpoint, Permission

_AUDIT = Permission("/", ("Sys.Audit",))


def _status(call: Call) -> list[dict[str, Any]]:
    membership = call.node.membership()
    entries: list[dict[str, Any]] = []
    if membership.cluster is not None:
        entries.append(
            {
                "id": "cluster",
                "type": "cluster",
                "name": membership.cluster.name,
                "version": membership.cluster.version,
                "nodes": len(membership.members),
                "quorate": int(membership.cluster.quorate),
            }
        )
    for name in membership.names():
        member = membership.members.get(name)
        entries.append(
            {
                "id": f"node/{name}",
                "type": "node",
                "name": name,
                "nodeid": member.node_id if member else 0,
                "ip": membership.address(name),
                "online": int(membership.online(name)),
                "local": int(name == call.node.name),
                "level": "",
            }
        )
    return entries


def _resources(call: Call) -> list[dict[str, Any]]:
    return resources(call.node, call.identity, call.text("type"))


def _tasks(call: Call) -> list[dict[str, Any]]:
    shown = []
    for name in call.node.membership().names():
        audits = call.identity.may(f"/nodes/{name}", "Sys.Audit")
        for task in call.node.broadcast.heard(name, "tasks") or []:
            if audits or call.identity.owns(_full_user(task)):
                shown.append(task)
    return sorted(shown, key=lambda task: int(task["starttime"]), reverse=True)


def _full_user(task: dict[str, Any]) -> str:
    token = task.get("tokenid")
    return f"{task['user']}!{token}" if token else str(task["user"])


def _backup_jobs(call: Call) -> list[dict[str, Any]]:
    return jobs(call.node.layout.etc_pve)


def _not_backed_up(call: Call) -> list[dict[str, Any]]:
    return not_covered(call.node)


def _ha_resources(_call: Call) -> list[dict[str, Any]]:
    return []  # the rack has no HA-managed guest


def _ha_status(call: Call) -> list[dict[str, Any]]:
    quorate = call.node.membership().quorate
    name = call.node.name
    return [
        {
            "id": "quorum",
            "type": "quorum",
            "node": name,
            "quorate": int(quorate),
            "status": "OK" if quorate else "No quorum on node '" + name + "'!",
        },
        {
            "id": "fencing",
            "type": "fencing",
            "node": name,
            "armed-state": "standby",
            "status": "standby (CRM watchdog standby)",
        },
    ]


def _options(call: Call) -> dict[str, Any]:
    return options(call.node.layout.etc_pve)


def _voting_nodes(call: Call) -> list[dict[str, str]]:
    return voting_nodes(call.node.layout.etc_pve)


def _quorum_device(call: Call) -> dict[str, str]:
    return quorum_device(call.node.layout.qdevice)


def _none_here(_call: Call) -> list[dict[str, Any]]:
    return []  # the rack replicates no guest and maps no device


def _nodes(call: Call) -> list[dict[str, Any]]:
    return node_entries(call.node, call.identity)


ENDPOINTS = (
    Endpoint("GET", "/nodes", _nodes),
    Endpoint("GET", "/cluster/status", _status, permission=_AUDIT),
    Endpoint(
        "GET",
        "/cluster/resources",
        _resources,
        {"type": choice("vm", "storage", "node", "sdn")},
    ),
    Endpoint("GET", "/cluster/tasks", _tasks),
    Endpoint("GET", "/cluster/backup", _backup_jobs, permission=_AUDIT),
    Endpoint("GET", "/cluster/backup-info/not-backed-up", _not_backed_up, permission=_AUDIT),
    Endpoint("GET", "/cluster/ha/resources", _ha_resources, {"type": choice("ct", "vm")}, _AUDIT),
    Endpoint("GET", "/cluster/ha/status/current", _ha_status, permission=_AUDIT),
    Endpoint("GET", "/cluster/options", _options, permission=_AUDIT),
    Endpoint("GET", "/cluster/config/nodes", _voting_nodes, permission=_AUDIT),
    Endpoint("GET", "/cluster/config/qdevice", _quorum_device, permission=_AUDIT),
    Endpoint("GET", "/cluster/replication", _none_here),
    *(
        Endpoint("GET", f"/cluster/mapping/{kind}", _none_here, {"check-node": NODE.maybe()})
        for kind in ("pci", "usb", "dir")
    ),
)
