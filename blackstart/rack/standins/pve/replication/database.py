"""The configuration on disk: like the vendor's, one SQLite file that survives a power cut."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .entries import Content, Entry, Stamp

_SCHEMA = """
CREATE TABLE IF NOT EXISTS tree (
    name TEXT PRIMARY KEY, version INTEGER NOT NULL, writer INTEGER NOT NULL,
    mode INTEGER, data BLOB, base_version INTEGER, base_writer INTEGER, fallen INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS state (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""


@dataclass(frozen=True, slots=True)
class Row:
    """An entry, and the version it replaced as long as no other node has confirmed it.

    One that has fallen back counts no more than the version it replaced.
    """

    entry: Entry
    base: Stamp | None = None
    fallen: bool = False

    @property
    def stamp(self) -> Stamp:
        """The version that it counts as."""
        return self.base if self.fallen and self.base else self.entry.stamp


class Database:
    """Rows by path, and a few values about the whole; each write is one durable transaction."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path)
        path.chmod(0o600)
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=FULL")
        self._connection.executescript(_SCHEMA)

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def load(self) -> dict[str, Row]:
        """All rows, those of deleted files too."""
        rows = self._connection.execute("SELECT * FROM tree")
        return {columns[0]: _row(columns) for columns in rows}

    def store(self, rows: Mapping[str, Row], state: Mapping[str, str]) -> None:
        """Write rows and values, all or nothing."""
        with self._connection:
            self._connection.executemany(
                "INSERT OR REPLACE INTO tree VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                [_columns(row) for row in rows.values()],
            )
            self._connection.executemany(
                "INSERT OR REPLACE INTO state VALUES (?, ?)", list(state.items())
            )

    def value(self, name: str) -> str | None:
        """A value about the whole, or None."""
        row = self._connection.execute("SELECT value FROM state WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])


def _row(columns: tuple[Any, ...]) -> Row:
    name, version, writer, mode, data, base_version, base_writer, fallen = columns
    content = None if data is None else Content(mode, data)
    base = None if base_version is None else Stamp(base_version, base_writer)
    return Row(Entry(name, Stamp(version, writer), content), base, bool(fallen))


def _columns(row: Row) -> tuple[object, ...]:
    entry, content, base = row.entry, row.entry.content, row.base
    return (
        entry.path,
        entry.stamp.version,
        entry.stamp.writer,
        content.mode if content else None,
        content.data if content else None,
        base.version if base else None,
        base.writer if base else None,
        int(row.fallen),
    )
