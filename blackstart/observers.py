"""Who watches a drill: the terminal while it runs, and the Allure report."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

from blackstart.drivers.base import Clock
from blackstart.model.quantities import format_duration
from blackstart.terms import DrillObserver


@dataclass
class Progress:
    """Says on the terminal, as it happens, which phase runs and what it waits for."""

    clock: Clock
    write: Callable[[str], None]
    _began: float | None = None

    def _say(self, text: str) -> None:
        now = self.clock.monotonic()
        self._began = now if self._began is None else self._began
        self.write(f"  {format_duration(now - self._began):>7}  {text}")

    def phase_begin(self, phase: str, detail: str) -> None:
        """Name the phase and what it is about."""
        self._say(f"{phase:<9} {detail}")

    def phase_end(self, phase: str, detail: str) -> None:
        """Only an interruption is worth a line; the next phase shows the rest."""
        if detail != "done":
            self._say(f"{phase:<9} {detail}")

    def note(self, text: str) -> None:
        """Something worth a line, under its phase."""
        self._say(f"{'':<9} {text}")

    def drill_end(self, directory: Path) -> None:
        """Say where the evidence is."""
        self._say(f"{'evidence':<9} {directory}")


@dataclass(frozen=True)
class Uncaptured:
    """Another observer, told only of the end, past the capture of output that pytest does."""

    inner: DrillObserver
    uncaptured: Callable[[], AbstractContextManager[None]]

    def phase_begin(self, phase: str, detail: str) -> None:
        """Nothing: the progress says it."""

    def phase_end(self, phase: str, detail: str) -> None:
        """Nothing: the progress says it."""

    def note(self, text: str) -> None:
        """Nothing: the progress says it."""

    def drill_end(self, directory: Path) -> None:
        """Pass it on."""
        with self.uncaptured():
            self.inner.drill_end(directory)


@dataclass(frozen=True)
class Together:
    """Several observers as one."""

    observers: Sequence[DrillObserver] = field(default_factory=tuple)

    def phase_begin(self, phase: str, detail: str) -> None:
        """Tell all."""
        for observer in self.observers:
            observer.phase_begin(phase, detail)

    def phase_end(self, phase: str, detail: str) -> None:
        """Tell all, the other way round, as nested steps close."""
        for observer in reversed(self.observers):
            observer.phase_end(phase, detail)

    def note(self, text: str) -> None:
        """Tell all."""
        for observer in self.observers:
            observer.note(text)

    def drill_end(self, directory: Path) -> None:
        """Tell all."""
        for observer in self.observers:
            observer.drill_end(directory)
