"""Under which terms a drill runs, and who watches it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol


class DrillObserver(Protocol):
    """Somebody who watches a drill: a terminal, a report."""

    def phase_begin(self, phase: str, detail: str) -> None:
        """A phase begins."""

    def phase_end(self, phase: str, detail: str) -> None:
        """The phase that began last has ended; ``detail`` says how."""

    def note(self, text: str) -> None:
        """Something worth a line."""

    def drill_end(self, directory: Path) -> None:
        """The drill is over and its journal closed; ``directory`` holds all of it."""


@dataclass(frozen=True, slots=True)
class Terms:
    """Under which terms a drill runs.

    ``budget_s``: seconds from injection within which everything must have held;
    ``directory`` is this drill's own, ``drills`` holds those of all; ``test`` is pytest's
    node id, ``environment`` what a report should say about the machines; ``waive`` names
    guards that may be overruled in this run, each with its reason; ``attended`` says that a
    person is beside the machines.
    """

    scenario: str
    budget_s: float
    armed: str | None
    directory: Path
    drills: Path
    leases: Path
    plan_only: bool = False
    waive: Mapping[str, str] = field(default_factory=dict)
    attended: bool = False
    test: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
