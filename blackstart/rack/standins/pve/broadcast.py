"""What each node tells the others about itself every ten seconds, and each task at once.

The cluster file system carries these values from node to node. They are not
configuration: they lie in ``/run``, and grow stale when their node is dead.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .layout import Layout

if TYPE_CHECKING:
    from .tasks import Tasks

EXPIRES_S = 300
"""The vendor forgets a node's figures this long after the last of them."""
TASKS_TOLD = 25


class Broadcast:
    """Values by node and key. Ages are counted on the monotonic clock of this machine."""

    def __init__(self, layout: Layout) -> None:
        self._directory = layout.status
        self._node = layout.node

    def tell(self, key: str, value: Any) -> None:
        """Publish a value of this node's own."""
        self.receive(self._node, key, value)

    def receive(self, node: str, key: str, value: Any) -> None:
        """Keep a node's value, with the moment at which it came."""
        path = self._path(node, key)
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}.{time.monotonic_ns()}")
        temporary.write_text(json.dumps({"at": time.monotonic(), "value": value}))
        temporary.replace(path)

    def heard(self, node: str, key: str) -> Any | None:
        """A node's value, or None when there is none or it has expired."""
        try:
            record = json.loads(self._path(node, key).read_text())
        except FileNotFoundError:
            return None
        return record["value"] if time.monotonic() - record["at"] < EXPIRES_S else None

    def own(self) -> dict[str, tuple[float, Any]]:
        """All values of this node with the moment of each, for the others."""
        values = {}
        for path in (self._directory / self._node).glob("[!.]*"):
            record = json.loads(path.read_text())
            values[path.name] = (record["at"], record["value"])
        return values

    def announce_tasks(self, tasks: Tasks) -> None:
        """Publish the newest tasks of this node, as ``/cluster/tasks`` shows them."""
        active = [upid.fields() for upid in tasks.active()]
        finished = [
            entry.upid.fields() | {"endtime": entry.ended, "status": entry.status, "saved": "1"}
            for entry in tasks.finished()[:TASKS_TOLD]
        ]
        self.tell("tasks", (active + finished)[:TASKS_TOLD])

    def _path(self, node: str, key: str) -> Path:
        return self._directory / node / key
