"""Answers of a Kubernetes API, in the shapes of its own documentation (v1 NodeList, Status)."""

from __future__ import annotations

import json
from typing import Any

from .tls_server import Reply

NODES = "GET /api/v1/nodes"
READYZ = "GET /readyz"
VERSION = "GET /version/"
TOKEN = "eyJhbGciOiJSUzI1NiJ9.drill.5e3a9f10"


def node(name: str, address: str, ready: str = "True", **status: Any) -> dict[str, Any]:
    """One node; ``ready`` is the condition's status: True, False or Unknown."""
    reason = {"True": "KubeletReady", "Unknown": "NodeStatusUnknown"}.get(ready, "KubeletNotReady")
    conditions = [
        {"type": "MemoryPressure", "status": "False", "reason": "KubeletHasSufficientMemory"},
        {"type": "Ready", "status": ready, "reason": reason, "message": "kubelet says so"},
    ]
    addresses = [
        {"type": "InternalIP", "address": address},
        {"type": "Hostname", "address": name},
    ]
    return {
        "metadata": {"name": name, "uid": "1"},
        "spec": {"podCIDR": "10.42.0.0/24"},
        "status": {"conditions": conditions, "addresses": addresses, **status},
    }


def nodes(*items: dict[str, Any]) -> Reply:
    """A list of nodes."""
    whole = {"kind": "NodeList", "apiVersion": "v1", "metadata": {}, "items": list(items)}
    return Reply(body=json.dumps(whole).encode())


def refusal(status: int, message: str) -> Reply:
    """A Status object, as every error of the API is."""
    whole = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": message}
    return Reply(status, "Error", json.dumps({**whole, "code": status}).encode())


def version(text: str = "v1.33.6+k3s1") -> Reply:
    """What ``/version`` gives."""
    whole = {
        "major": "1",
        "minor": "33",
        "gitVersion": text,
        "gitCommit": "b5847677",
        "gitTreeState": "clean",
        "buildDate": "2025-11-14T21:08:03Z",
        "goVersion": "go1.24.9",
        "compiler": "gc",
        "platform": "linux/amd64",
    }
    return Reply(body=json.dumps(whole).encode())
