"""What the API says, in the shapes of k3s v1.33: Status, NodeList, version, health checks.

Left out is what nobody here has: capacity, images, ``nodeInfo``, most of the API server's
post-start hooks.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

from .members import View

VERSION = {
    "major": "1",
    "minor": "33",
    "emulationMajor": "1",
    "emulationMinor": "33",
    "minCompatibilityMajor": "1",
    "minCompatibilityMinor": "32",
    "gitVersion": "v1.33.6+k3s1",
    "gitCommit": "b5847677",
    "gitTreeState": "clean",
    "buildDate": "2025-11-14T21:08:03Z",
    "goVersion": "go1.24.9",
    "compiler": "gc",
    "platform": "linux/amd64",
}
LOST_QUORUM = "etcdserver: request timed out"
"""What etcd says of a read that no leader confirmed. The real one takes its request timeout
to say so (5 s and two elections of 5 s each), the stand-in none."""

_NEEDS_ETCD = {"etcd", "etcd-readiness"}
_CHECKS = {
    "readyz": (
        *("ping", "log", "etcd", "etcd-readiness", "informer-sync"),
        *("poststarthook/rbac/bootstrap-roles", "autoregister-completion", "shutdown"),
    ),
    "livez": (
        *("ping", "log", "etcd"),
        *("poststarthook/rbac/bootstrap-roles", "autoregister-completion"),
    ),
}
_CHECKS["healthz"] = _CHECKS["livez"]
_KUBELET = (
    (
        "MemoryPressure",
        "False",
        "KubeletHasSufficientMemory",
        "kubelet has sufficient memory available",
    ),
    ("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    ("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
    ("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
)
_SILENT = ("Unknown", "NodeStatusUnknown", "Kubelet stopped posting node status.")


def status(code: int, message: str, reason: str = "", **details: str) -> dict[str, Any]:
    """A refusal. An error of the datastore has no ``reason`` and no ``details``."""
    whole: dict[str, Any] = {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": message,
    }
    if reason:
        whole["reason"] = reason
    if reason == "Forbidden":
        whole["details"] = details
    return {**whole, "code": code}


def unauthorized() -> dict[str, Any]:
    """To who is nobody."""
    return status(401, "Unauthorized", "Unauthorized")


def forbidden(user: str, path: str) -> dict[str, Any]:
    """To who may not: a resource of the core group is listed, any other path is got."""
    prefix, _, resource = path.partition("/api/v1/")
    if not prefix and resource and "/" not in resource:
        words = (
            f'{resource} is forbidden: User "{user}" cannot list resource "{resource}" '
            'in API group "" at the cluster scope'
        )
        return status(403, words, "Forbidden", kind=resource)
    return status(403, f'forbidden: User "{user}" cannot get path "{path}"', "Forbidden")


def health(endpoint: str, *, quorate: bool, verbose: bool) -> tuple[int, str]:
    """Status and text of ``readyz``, ``livez`` or ``healthz``; one that fails is verbose."""
    failed = set() if quorate else _NEEDS_ETCD
    lines = [
        f"[-]{check} failed: reason withheld" if check in failed else f"[+]{check} ok"
        for check in _CHECKS[endpoint]
    ]
    if not quorate:
        return 500, "\n".join([*lines, f"{endpoint} check failed", ""])
    return 200, "\n".join([*lines, f"{endpoint} check passed", ""]) if verbose else "ok"


def nodes(views: Iterable[View]) -> dict[str, Any]:
    """The list of nodes. Its resource version is the time: there is no datastore to count."""
    return {
        "kind": "NodeList",
        "apiVersion": "v1",
        "metadata": {"resourceVersion": str(int(time.time()))},
        "items": [_node(view) for view in views],
    }


def _node(view: View) -> dict[str, Any]:
    roles = ("control-plane", "etcd", "master")
    labels = {f"node-role.kubernetes.io/{role}": "true" for role in roles}
    return {
        "metadata": {
            "name": view.name,
            "labels": {
                "kubernetes.io/hostname": view.name,
                "kubernetes.io/os": "linux",
                "node.kubernetes.io/instance-type": "k3s",
                **labels,
            },
            "annotations": {
                "alpha.kubernetes.io/provided-node-ip": view.address,
                "etcd.k3s.cattle.io/node-address": view.address,
                "k3s.io/hostname": view.name,
                "k3s.io/internal-ip": view.address,
            },
        },
        "spec": {"providerID": f"k3s://{view.name}"},
        "status": {
            "conditions": _conditions(view),
            "addresses": [
                {"type": "InternalIP", "address": view.address},
                {"type": "Hostname", "address": view.name},
            ],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
        },
    }


def _conditions(view: View) -> list[dict[str, str]]:
    """etcd's word for its member, and the kubelet's four, which nobody knows once it is silent."""
    voter = (
        "EtcdIsVoter",
        "True",
        "MemberNotLearner",
        "Node is a voting member of the etcd cluster",
    )
    told = [voter]
    told += [item if view.ready else (item[0], *_SILENT) for item in _KUBELET]
    times = {"lastHeartbeatTime": _stamp(view.heard), "lastTransitionTime": _stamp(view.since)}
    return [
        {"type": kind, "status": value, **times, "reason": reason, "message": message}
        for kind, value, reason, message in told
    ]


def _stamp(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
