"""The files that a drill leaves behind for people: summary and pictures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from blackstart.errors import BlackstartError
from blackstart.evidence import recovery, timeline
from blackstart.evidence.summary import Summary, write_summary


def write_files(directory: Path) -> Summary:
    """Write ``summary.json``, ``timeline`` and ``recovery`` (each .svg and .png).

    Raises ``JournalError`` when the journal cannot be read, ``OSError`` when the disk refuses.
    """
    summary = write_summary(directory)
    timeline.draw(directory)
    recovery.draw(directory)
    return summary


@dataclass(frozen=True)
class EvidenceFiles:
    """Observer of drills that writes their files. A drill's verdict never hangs on it."""

    warn: Callable[[str], None]

    def phase_begin(self, phase: str, detail: str) -> None:
        """Nothing: the journal has it."""

    def phase_end(self, phase: str, detail: str) -> None:
        """Nothing: the journal has it."""

    def note(self, text: str) -> None:
        """Nothing: the journal has it."""

    def drill_end(self, directory: Path) -> None:
        """Write the files; what goes wrong is said, never raised."""
        try:
            write_files(directory)
        except (BlackstartError, OSError, ValueError) as error:
            self.warn(f"{directory}: no summary or pictures: {error}")
