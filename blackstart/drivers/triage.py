"""Who gave no answer when everybody was greeted, and until when the others are waited for.

What hangs is waited for once, and not again by each look at a site that needs it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from blackstart.errors import DriverError

LEAST_S = 0.1


class Triage:
    """Shared by a site's drivers and collectors; nobody is away until ``sorted_out``.

    Thread-safe: it is only read by those who ask.
    """

    def __init__(self) -> None:
        self._away: Mapping[str, DriverError] = {}
        self._until: float | None = None

    @contextmanager
    def sorted_out(self, away: Mapping[str, DriverError]) -> Iterator[None]:
        """Answer for those who are away, by name, with their first error, until the end."""
        self._away = dict(away)
        try:
            yield
        finally:
            self._away, self._until = {}, None

    def hurry(self, until: float) -> None:
        """Wait for nobody beyond ``until`` (seconds of ``time.monotonic``)."""
        self._until = until

    def refuse(self, name: str) -> None:
        """Raises the ``DriverError`` with which this one was away, if it was."""
        if name in self._away:
            raise self._away[name]

    def is_away(self, name: str) -> bool:
        """Whether this one gave no answer."""
        return name in self._away

    def bound(self, seconds: float) -> float:
        """So many seconds, or what is left of the time."""
        if self._until is None:
            return seconds
        return max(min(seconds, self._until - time.monotonic()), LEAST_S)
