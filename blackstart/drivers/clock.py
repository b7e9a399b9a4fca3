"""The machine's own clock."""

from __future__ import annotations

import time


class SystemClock:
    """Real time. ``Clock`` of ``drivers/base.py``; tests and cases put a simulated one in."""

    def monotonic(self) -> float:
        """Seconds that only move forward, whatever NTP does to the wall clock."""
        return time.monotonic()

    def wall(self) -> float:
        """Seconds since the epoch."""
        return time.time()

    def sleep(self, seconds: float) -> None:
        """Pause for so many seconds."""
        time.sleep(seconds)
