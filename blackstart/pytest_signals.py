"""Signals that would end a drill half way become Ctrl-C, which reverts first.

A closed laptop lid ends a terminal with SIGHUP, systemd a service with SIGTERM; neither
may leave a fault behind as long as the process can still do something about it.
"""

from __future__ import annotations

import signal
from types import FrameType

import pytest

ENDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def _interrupt(number: int, _: FrameType | None) -> None:
    raise KeyboardInterrupt(f"received {signal.Signals(number).name}")


class Signals:
    """Installed while pytest runs, and taken away again."""

    def __init__(self) -> None:
        self._before: dict[signal.Signals, object] = {}

    def pytest_sessionstart(self) -> None:
        """Install; only who started us with nohup(1) wants a closed terminal to go unnoticed.

        A shell starts what runs in the background with SIGINT ignored; a drill hears it.
        """
        for number in ENDS:
            if number is signal.SIGHUP and signal.getsignal(number) is signal.SIG_IGN:
                continue
            self._before[number] = signal.signal(number, _interrupt)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self) -> None:
        """As it was."""
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]
