"""All that the stand-in knows, in one JSON file that survives a power cut."""

from __future__ import annotations

import copy
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..pve.files import write_atomically

PRIVATE = 0o600
Record = dict[str, Any]
State = dict[str, Any]


class Store:
    """The state, held in memory and written at each change. Thread-safe.

    Tables are lists of records in order of their ids; ``next_id`` has the next one by table.
    Raises ``OSError`` or ``ValueError`` when the file cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.RLock()
        self._state: State = json.loads(path.read_text("utf-8"))

    def snapshot(self) -> State:
        """The state of this moment; a change makes a new one, so it is never altered."""
        return self._state

    @contextmanager
    def changing(self) -> Iterator[State]:
        """Change the state: written to disk at the end, or as before when it raises."""
        with self._lock:
            changed = copy.deepcopy(self._state)
            yield changed
            if changed != self._state:
                write_atomically(self._path, json.dumps(changed, indent=1).encode(), PRIVATE)
                self._state = changed


def take_id(state: State, table: str) -> int:
    """The next id of a table; ids are never given twice."""
    number = int(state["next_id"].get(table, 1))
    state["next_id"][table] = number + 1
    return number


def by_id(state: State, table: str, number: int | None) -> Record | None:
    """The record of that id, ``None`` when there is none."""
    return find(state, table, id=number)


def find(state: State, table: str, **fields: Any) -> Record | None:
    """The first record with these fields, ``None`` when there is none."""
    return next(iter(select(state, table, **fields)), None)


def select(state: State, table: str, **fields: Any) -> list[Record]:
    """The records with these fields."""
    return [
        record
        for record in state[table]
        if all(record.get(name) == value for name, value in fields.items())
    ]
