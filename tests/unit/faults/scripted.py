"""A site whose hosts answer as a test says, command by command."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from blackstart.drivers.base import CommandResult, Site
from blackstart.errors import DriverError
from tests.simulation.drivers import site_of
from tests.simulation.inventories import small_site
from tests.simulation.world import World

Answer = str | int | CommandResult | DriverError
Rule = Answer | Callable[[], Answer]


@dataclass
class Scripted:
    """``CommandRunner``: the first rule whose text is in the command answers it.

    A text is standard output with exit code 0, a number an exit code; an error is raised.
    What no rule knows is an error of the test.
    """

    rules: dict[str, Rule]
    asked: list[tuple[str, str]] = field(default_factory=list)

    def run(
        self, host: str, command: str, *, timeout_s: float, stdin: str | None = None
    ) -> CommandResult:
        self.asked.append((host, command))
        for part, rule in self.rules.items():
            if part in command:
                answer = rule() if callable(rule) else rule
                if isinstance(answer, DriverError):
                    raise answer
                if isinstance(answer, CommandResult):
                    return answer
                if isinstance(answer, int):
                    return CommandResult(answer, "", "refused")
                return CommandResult(0, answer, "")
        raise AssertionError(f"no answer to {command!r}")

    def forget(self, host: str) -> None:
        """There is no connection."""


def scripted(rules: dict[str, Rule]) -> tuple[Site, Scripted]:
    """The small site with a scripted shell, and that shell."""
    runner = Scripted(rules)
    return replace(site_of(World(small_site())), runner=runner), runner
