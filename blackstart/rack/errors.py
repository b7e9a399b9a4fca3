"""What the rack raises: one sentence and its remedy, shown as they are.

RackError
├── HostError       the host cannot run a rack, or the call is wrong (exit code 2)
└── MachineError    a machine did not do what was asked in time (exit code 1)
"""

from __future__ import annotations

from blackstart.errors import BlackstartError


class RackError(BlackstartError):
    """Base of all errors that the rack's command line shows to a person."""

    def __init__(self, problem: str, remedy: str = "") -> None:
        super().__init__(problem)
        self.problem = problem
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.problem}\n  fix: {self.remedy}" if self.remedy else self.problem


class HostError(RackError):
    """The host lacks something, or another rack is in the way."""

    exit_code = 2


class MachineError(RackError):
    """A machine did not do what was asked, or not in time."""
