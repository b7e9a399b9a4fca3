"""What stands in a line of a file, so that evidence can cite it."""

from __future__ import annotations

from blackstart.model.observed import Record


class Located(Record):
    """Something read from a line of a host's file; ``line`` counts from 1."""

    file: str
    line: int

    @property
    def where(self) -> str:
        """``/etc/fstab:7``, as evidence cites it."""
        return f"{self.file}:{self.line}"


class Line(Located):
    """A line as it stands, or the part of it that matters."""

    text: str
