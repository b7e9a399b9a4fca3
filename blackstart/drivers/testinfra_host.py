"""testinfra's ``Host`` on top of a runner's own connection, for people who write scenarios.

``host.service("ssh").is_running`` then costs no second login. Nothing in the core needs
testinfra; this file is the only one that imports it.
"""

from __future__ import annotations

from typing import Any

from testinfra.backend.base import BaseBackend
from testinfra.backend.base import CommandResult as TestinfraResult
from testinfra.host import Host

from blackstart.drivers.base import CommandRunner

COMMAND_TIMEOUT_S = 30.0


class RunnerBackend(BaseBackend):  # type: ignore[misc]  # testinfra ships no type hints
    """A testinfra backend that runs commands through a ``CommandRunner``."""

    NAME = "blackstart"

    def __init__(self, runner: CommandRunner, name: str, timeout_s: float) -> None:
        super().__init__(name)
        self._runner = runner
        self._timeout_s = timeout_s
        self._encoding = "utf-8"  # testinfra would ask the host's Python, a round trip each

    def run(self, command: str, *args: str, **_: Any) -> TestinfraResult:
        """Run ``command``, its ``%s`` filled with quoted ``args``, bounded in time."""
        line = self.get_command(command, *args)
        result = self._runner.run(self.hostname, line, timeout_s=self._timeout_s)
        return self.result(
            result.exit_code, self.encode(line), result.stdout.encode(), result.stderr.encode()
        )


def as_testinfra(runner: CommandRunner, name: str, *, timeout_s: float = COMMAND_TIMEOUT_S) -> Host:
    """testinfra's vocabulary for one host of the inventory; each command takes at most
    ``timeout_s`` seconds and raises the runner's ``Unreachable`` and ``TimedOut``.
    """
    backend = RunnerBackend(runner, name, timeout_s)
    host = Host(backend)
    backend.set_host(host)
    return host
