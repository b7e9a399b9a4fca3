"""Votes, the quorum device, and the options of the datacenter, out of their files."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

from .propertystring import parse
from .replication.corosync import read_configuration

_STRUCTURED = ("ha", "migration", "replication", "crs", "next-id", "tag-style", "u2f", "webauthn")
_SHOWN = (
    "Algorithm",
    "Echo reply",
    "Last poll call",
    "Model",
    "QNetd host",
    "State",
    "Tie-breaker",
)
"""What the vendor shows of the device's own report."""
_ANSWER_TIMEOUT_S = 3.0


def voting_nodes(etc_pve: Path) -> list[dict[str, str]]:
    """The node list of ``corosync.conf``, all of it as text; a node on its own has none."""
    configuration = read_configuration(etc_pve / "corosync.conf")
    return [
        {
            "node": node.name,
            "name": node.name,
            "nodeid": str(node.node_id),
            "quorum_votes": str(node.votes),
            "ring0_addr": node.address,
        }
        for node in (configuration.nodes if configuration else ())
    ]


def quorum_device(path: Path) -> dict[str, str]:
    """What the device's daemon reports; empty where none runs (corosync-qdevice-tool(8))."""
    if not path.is_socket():
        return {}
    with socket.socket(socket.AF_UNIX) as daemon:
        daemon.settimeout(_ANSWER_TIMEOUT_S)
        daemon.connect(str(path))
        daemon.sendall(b"status verbose\n")
        report = b"".join(iter(lambda: daemon.recv(4096), b"")).decode(errors="replace")
    pairs = (line.partition(":") for line in report.splitlines() if not line[:1].isspace())
    return {key: value.strip() for key, colon, value in pairs if colon and key in _SHOWN}


def options(etc_pve: Path) -> dict[str, Any]:
    """``datacenter.cfg``; some of its settings are taken apart (datacenter.cfg(5))."""
    try:
        text = (etc_pve / "datacenter.cfg").read_text()
    except FileNotFoundError:
        return {}
    found: dict[str, Any] = {}
    for line in text.splitlines():
        key, colon, value = line.partition(":")
        if colon and not line.startswith("#"):
            value = value.strip()
            found[key.strip()] = parse(value, "type") if key.strip() in _STRUCTURED else value
    return found
