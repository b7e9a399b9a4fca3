"""A network mount, asked on the host that mounts it: does its server answer?

Over the connection to the host that is there already. A hung mount must not gather
processes: one question is open for each mount, and all mounts of a host share a rate.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from blackstart.drivers.base import CommandRunner
from blackstart.errors import DriverError, ProbeBroken, TimedOut, Unreachable
from blackstart.model.mount_answer import MountState, question, understand
from blackstart.probes.base import Answer

MAX_QUESTIONS_HZ = 1.0
"""A host's mounts are asked so often in all: every question starts five processes there."""
RACK_QUESTIONS_HZ = 0.2
"""On emulated processors these five take most of a second: at 1 Hz they were the outage."""
ROUND_TRIP_S = 5.0
LOGIN_S = 15.0
"""A connection that must be made anew is given so long, though the answer is late by then:
to give up sooner would keep everybody else from logging in to a host that is booting."""


@dataclass(slots=True)
class MountProbe:
    """Whether the mount at ``path`` on ``host`` answers within ``bound_s`` seconds."""

    name: str
    subject: str
    runner: CommandRunner
    host: str
    path: str
    bound_s: int
    max_rate_hz: float | None = MAX_QUESTIONS_HZ
    kind: str = "mount"
    # Of one thread: a question that is due while another is open waits for it.
    _thread: ThreadPoolExecutor = field(init=False)

    def __post_init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=self.name)

    @property
    def timeout_s(self) -> float:
        """Seconds: those of the question, and a round trip to the host."""
        return self.bound_s + ROUND_TRIP_S

    async def ask(self) -> Answer:
        """Ask once. Raises ``ProbeBroken`` when the host cannot ask, for want of a program."""
        try:
            async with asyncio.timeout(self.timeout_s):
                return await asyncio.get_running_loop().run_in_executor(self._thread, self._look)
        except TimeoutError:
            return Answer(False, f"{self.host}: no answer within {self.timeout_s:g} s")

    def _look(self) -> Answer:
        line = question(self.path, self.bound_s)
        try:
            result = self.runner.run(self.host, line, timeout_s=self.bound_s + LOGIN_S)
        except (Unreachable, TimedOut) as error:
            return Answer(False, str(error))
        except DriverError as error:
            raise ProbeBroken(str(error)) from error
        seen = understand(self.path, self.bound_s, result.exit_code, result.stdout, result.stderr)
        if seen is None:
            said = result.stderr.strip() or f"exit {result.exit_code}"
            raise ProbeBroken(f"{self.host} cannot ask for its mounts: {said}")
        return Answer(seen.state is MountState.ANSWERS, seen.detail)

    async def close(self) -> None:
        """No question follows; one that is open is bounded and ends by itself."""
        self._thread.shutdown(wait=False, cancel_futures=True)
