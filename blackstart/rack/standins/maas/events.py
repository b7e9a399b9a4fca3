"""MAAS' event log, the newest thousand."""

from __future__ import annotations

import time

from .store import Record, State, find, take_id

KEPT = 1000
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL", "AUDIT")
"""In their order but for AUDIT, which is asked for by itself."""


def record_event(state: State, level: str, kind: str, description: str) -> None:
    """Add an event of this very MAAS."""
    node = find(state, "nodes", kind="rack-controller") or {"system_id": "", "hostname": ""}
    event: Record = {
        "id": take_id(state, "events"),
        "username": "unknown",
        "node": node["system_id"],
        "hostname": node["hostname"],
        "level": level,
        "created": time.time(),
        "type": kind,
        "description": description,
    }
    state["events"] = [*state["events"], event][-KEPT:]
