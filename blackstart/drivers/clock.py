"""The machine's own clock."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class SystemClock:
    """Real time. ``Clock`` of ``drivers/base.py``; tests and cases put a simulated one in."""

    def monotonic(self) -> float:
        """Seconds that only move forward, whatever NTP does to the wall clock.

        Those in which this machine slept count as well (clock_gettime(2): ``CLOCK_BOOTTIME``):
        a lease ran out meanwhile, and an outage went on. ``CLOCK_MONOTONIC`` hides that.
        """
        return time.clock_gettime(time.CLOCK_BOOTTIME)

    def wall(self) -> float:
        """Seconds since the epoch."""
        return time.time()

    def sleep(self, seconds: float) -> None:
        """Pause for so many seconds."""
        time.sleep(seconds)


@contextmanager
def every(seconds: float, action: Callable[[], None]) -> Iterator[None]:
    """Call ``action`` every so many seconds, in a thread of its own, while the block runs.

    It must bound itself and catch what it expects. It is not called again once the block
    has ended; a call that is under way then is not waited for.
    """
    over = threading.Event()

    def keep_calling() -> None:
        while not over.wait(seconds):
            action()

    threading.Thread(target=keep_calling, name="every", daemon=True).start()
    try:
        yield
    finally:
        over.set()
