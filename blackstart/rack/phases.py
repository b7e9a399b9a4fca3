"""Progress of the long steps, for a person: what runs, and what it took."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console

Say = Callable[[str], None]


class Phases:
    """Shows each phase while it runs and remembers its duration in seconds.

    On a terminal a spinner carries the latest detail; elsewhere each phase and
    each new detail is a plain line, so that a log shows where it stands.
    """

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(stderr=True, highlight=False)
        self.seconds: dict[str, float] = {}

    @contextmanager
    def phase(self, name: str) -> Iterator[Say]:
        """Time a phase; yields a function that shows a detail of it."""
        started = time.monotonic()
        shown = ""

        def elapsed() -> str:
            return f"{time.monotonic() - started:.0f} s"

        with self.console.status(name) as status:

            def say(detail: str) -> None:
                nonlocal shown
                if detail == shown:
                    return
                shown = detail
                status.update(f"{name}: {detail} ({elapsed()})")
                if not self.console.is_terminal:
                    self.console.print(f"{name}: {detail} ({elapsed()})", markup=False)

            if not self.console.is_terminal:
                self.console.print(f"{name} ...", markup=False)
            yield say
        took = time.monotonic() - started
        self.seconds[name] = self.seconds.get(name, 0.0) + took
        if self.console.is_terminal and took > 2:
            self.console.print(f"{name}: {took:.1f} s", markup=False)

    def summary(self) -> str:
        """All phases with their seconds, and the sum."""
        parts = [f"{name} {took:.1f} s" for name, took in self.seconds.items()]
        return ", ".join([*parts, f"total {sum(self.seconds.values()):.1f} s"])
