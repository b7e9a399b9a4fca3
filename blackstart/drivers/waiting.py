"""Waiting: through tenacity, on the drill's clock, and always bounded."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from tenacity import RetryCallState, RetryError, Retrying, retry_if_result, wait_fixed

from blackstart.drivers.base import Clock

T = TypeVar("T")


def wait_for(
    clock: Clock, look: Callable[[], T | None], *, bound_s: float, poll_s: float = 1.0
) -> T | None:
    """Call ``look`` every ``poll_s`` seconds until it gives something, at most ``bound_s`` seconds.

    Returns what it gave, or ``None`` when the bound was reached. What ``look`` raises
    goes through: waiting hides no error.
    """
    deadline = clock.monotonic() + bound_s

    def expired(_: RetryCallState) -> bool:
        return clock.monotonic() >= deadline

    attempts = Retrying(
        retry=retry_if_result(lambda seen: seen is None),
        stop=expired,
        wait=wait_fixed(poll_s),
        sleep=clock.sleep,
    )
    try:
        return attempts(look)
    except RetryError:
        return None
