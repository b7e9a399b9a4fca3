"""Which version of each file counts.

A local change becomes a new version, higher than any seen so far. Between two
versions the higher stamp wins, on every node alike, so all nodes end with the
same files whatever order they hear of them in.

A version that no other node has confirmed falls back to the stamp that it
replaced when quorum is lost, or the machine stops: its content stays here, but
whatever the quorate side writes to that file from then on wins over it. If it
writes nothing, the content becomes a new version once this node is quorate.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import replace

from .database import Database, Row
from .entries import Content, Entry, Stamp

Vector = dict[str, Stamp]
_HIGHEST = "highest"
_NOTHING = Stamp(0, 0)
"""What a new file replaces: older than any version."""


class Registry:
    """The versions of one node, in memory and in its database."""

    def __init__(self, database: Database, writer: int) -> None:
        self._database = database
        self._writer = writer
        self._rows = database.load()
        self._highest = int(database.value(_HIGHEST) or 0)
        self.fall_back()

    def contents(self) -> dict[str, Content]:
        """Every file that should exist."""
        return {
            path: row.entry.content
            for path, row in self._rows.items()
            if row.entry.content is not None
        }

    def commit(self, changes: Mapping[str, Content | None]) -> None:
        """Make local changes a new version, and write it to disk."""
        if not changes:
            return
        self._highest += 1
        stamp = Stamp(self._highest, self._writer)
        self._keep(
            {p: Row(Entry(p, stamp, content), self._base(p)) for p, content in changes.items()}
        )

    def acknowledge(self, received: Iterable[Entry]) -> None:
        """Our own version come back is its confirmation, even after it has fallen back."""
        ours = {
            entry.path: Row(entry)
            for entry in received
            if entry.path in self._rows and self._rows[entry.path].entry.stamp == entry.stamp
        }
        self._keep({path: row for path, row in ours.items() if self._rows[path].base})

    def newer(self, received: Iterable[Entry]) -> list[Entry]:
        """Which of the received versions beat those that stand here."""
        return [entry for entry in received if entry.stamp > self._stamp(entry.path)]

    def take(self, entries: Iterable[Entry]) -> None:
        """Take newer versions over, and write them to disk."""
        taken = {entry.path: Row(entry) for entry in entries}
        versions = [row.entry.stamp.version for row in taken.values()]
        self._highest = max([self._highest, *versions])
        self._keep(taken)

    def vector(self) -> Vector:
        """The stamp of every version that counts."""
        return {path: row.entry.stamp for path, row in self._rows.items() if not row.fallen}

    def digest(self) -> str:
        """Equal on two nodes when their versions are."""
        lines = (f"{p} {s.version} {s.writer}\n" for p, s in sorted(self.vector().items()))
        return hashlib.sha256("".join(lines).encode()).hexdigest()

    def newer_than(self, vector: Vector) -> list[Entry]:
        """Versions that the other node lacks, or has older ones of."""
        return [
            self._rows[path].entry
            for path, stamp in self.vector().items()
            if stamp > vector.get(path, _NOTHING)
        ]

    def confirm(self, vector: Vector) -> None:
        """Note that another node has these versions."""
        self._keep(
            {
                path: Row(row.entry)
                for path, row in self._rows.items()
                if row.base and not row.fallen and vector.get(path, _NOTHING) >= row.stamp
            }
        )

    def fall_back(self) -> None:
        """Give what nobody has confirmed the stamp that it replaced."""
        self._keep(
            {
                path: replace(row, fallen=True)
                for path, row in self._rows.items()
                if row.base and not row.fallen
            }
        )

    def fallen(self) -> dict[str, Content | None]:
        """What has fallen back and nobody has overwritten: changes to commit again."""
        return {path: row.entry.content for path, row in self._rows.items() if row.fallen}

    def note(self, name: str, value: str) -> None:
        """Write a value about the whole."""
        self._database.store({}, {name: value})

    def _stamp(self, path: str) -> Stamp:
        row = self._rows.get(path)
        return row.stamp if row else _NOTHING

    def _base(self, path: str) -> Stamp:
        row = self._rows.get(path)
        return row.base if row and row.base else self._stamp(path)

    def _keep(self, rows: Mapping[str, Row]) -> None:
        if rows:
            self._database.store(rows, {_HIGHEST: str(self._highest)})
            self._rows.update(rows)
