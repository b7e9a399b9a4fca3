"""Bounded waiting for something to become true."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable


async def until(true: Callable[[], bool], bound_s: float) -> None:
    """Return as soon as it is true; fail after ``bound_s`` seconds."""
    deadline = time.monotonic() + bound_s
    while not true():
        assert time.monotonic() < deadline, f"not within {bound_s} s"
        await asyncio.sleep(0.01)
