"""The leash: what ends a drill before its time, asked whenever the drill pauses.

Every wait of a drill goes through its clock, so that a drill that waits is one that can
be stopped; a command under way is bounded and ends first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from blackstart.drivers.base import Clock, ProbeSession
from blackstart.errors import BlackstartError
from blackstart.model.inventory import NeverDown

SLICE_S = 1.0


class Cut(BlackstartError):
    """The drill must end now; ``name`` says by what: stop-condition, halted, dead-man.

    ``harm`` says that something was seen to go wrong with the site; without it the drill has
    merely proven nothing.
    """

    exit_code = 3

    def __init__(self, name: str, target: str, reason: str, *, harm: bool = False) -> None:
        self.name = name
        self.target = target
        self.harm = harm
        super().__init__(reason)


Condition = Callable[[], Cut | None]
"""Gives what cuts the drill short, or ``None`` while all is as it should be."""


@dataclass
class LeashedClock:
    """A clock whose ``sleep`` raises ``Cut`` once a condition holds, while it is held tight."""

    inner: Clock
    _conditions: Sequence[Condition] = field(default=())

    def monotonic(self) -> float:
        """Seconds that only move forward."""
        return self.inner.monotonic()

    def wall(self) -> float:
        """Seconds since the epoch."""
        return self.inner.wall()

    def sleep(self, seconds: float) -> None:
        """Pause for so many seconds. Raises ``Cut``, within a second of its reason."""
        until = self.inner.monotonic() + seconds
        while (left := until - self.inner.monotonic()) > 0:
            self.inner.sleep(min(left, SLICE_S))
            self.check()

    def check(self) -> None:
        """Raise ``Cut`` if a condition holds."""
        for condition in self._conditions:
            cut = condition()
            if cut is not None:
                raise cut

    @contextmanager
    def tight(self, *conditions: Condition) -> Iterator[None]:
        """Ask these while the block runs."""
        before, self._conditions = self._conditions, conditions
        try:
            yield
        finally:
            self._conditions = before


@dataclass
class MustStayUp:
    """The condition that a declared group never goes down as a whole."""

    name: str
    declared: NeverDown
    probes: ProbeSession
    clock: Clock
    _down_since: float | None = None

    def __call__(self) -> Cut | None:
        """``Cut`` once none of the group has answered for longer than its grace (seconds).

        Also when nobody could ask: what must never go down is not broken unseen. It is the
        site's fault only when each of the group was asked and failed.
        """
        now = self.clock.monotonic()
        if any(self.probes.held(member) is not None for member in self.declared.any_of):
            self._down_since = None
            return None
        if self._down_since is None:
            self._down_since = now
        if now - self._down_since < self.declared.grace:
            return None
        members = ", ".join(self.declared.any_of)
        unseen = [name for name in self.declared.any_of if not self.probes.seen_down(name)]
        doubt = f" (nobody could ask {', '.join(unseen)})" if unseen else ""
        return Cut(
            "stop-condition",
            self.name,
            f"must never go down, and none of {members} has answered for "
            f"{self.declared.grace:.0f} s{doubt}: the drill was ended",
            harm=not unseen,
        )
