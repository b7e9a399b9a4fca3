"""What a host says of its own next boot: what it would mount, start and be called.

Read for checks only: drills compare facts before and after and need none of this.
"""

from __future__ import annotations

from blackstart.model.observed import Observed, Record


class FstabLine(Record):
    """One entry of ``/etc/fstab`` (fstab(5)), its octal escapes undone.

    ``line`` counts from 1, so that ``file:line`` finds it. ``spec`` is what is mounted
    (``UUID=...``, ``10.0.0.1:/export``), as written but for its quotes.
    """

    file: str
    line: int
    spec: str
    path: str
    fstype: str
    options: tuple[str, ...]

    @property
    def where(self) -> str:
        """``/etc/fstab:7``, as evidence cites it."""
        return f"{self.file}:{self.line}"


class HostBootFacts(Record):
    """What one machine says of its own boot."""

    fstab: Observed[tuple[FstabLine, ...]]
