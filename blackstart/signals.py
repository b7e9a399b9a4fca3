"""Signals that would end a process half way become Ctrl-C, which puts things back first.

A closed laptop lid ends a terminal with SIGHUP, systemd a service with SIGTERM; neither
may leave a fault behind as long as the process can still do something about it.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType

ENDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass
class _Hearing:
    """Whether what comes is kept for later, and what has come meanwhile."""

    later: bool = False
    kept: list[int] = field(default_factory=list)


_HEARING = _Hearing()


def _interrupt(number: int, _: FrameType | None) -> None:
    if _HEARING.later:
        _HEARING.kept.append(number)
        return
    raise KeyboardInterrupt(f"received {signal.Signals(number).name}")


@contextmanager
def undisturbed() -> Iterator[None]:
    """What comes while the block runs is raised at its end: nothing is half begun.

    Python hears signals in the main thread alone, so any other one is never disturbed.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    _HEARING.kept, _HEARING.later = [], True
    try:
        yield
    finally:
        _HEARING.later = False
        kept, _HEARING.kept = _HEARING.kept, []
        if kept:
            _interrupt(kept[0], None)


@contextmanager
def interrupting() -> Iterator[None]:
    """Raise ``KeyboardInterrupt`` for each of them while the block runs; then it is as it was.

    Only who started us with nohup(1) wants a closed terminal to go unnoticed. A shell starts
    what runs in the background with SIGINT ignored; within the block it is heard.
    """
    before: dict[signal.Signals, object] = {}
    for number in ENDS:
        if number is signal.SIGHUP and signal.getsignal(number) is signal.SIG_IGN:
            continue
        before[number] = signal.signal(number, _interrupt)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]
