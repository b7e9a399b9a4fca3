"""What an error means for a person who wants to reach something."""

from __future__ import annotations

from blackstart.drivers.ssh_connection import LoginRefused
from blackstart.errors import DriverError, TimedOut, Unreachable, Untrusted
from blackstart.model.reach import Reach, State


def reached(thing: str, said: str) -> Reach:
    """It answers, and shows what is needed."""
    return Reach(thing=thing, state=State.REACHED, said=said)


def wrong(thing: str, said: str, fix: str) -> Reach:
    """It answers, and something about it must be mended."""
    return Reach(thing=thing, state=State.WRONG, said=said, fix=fix)


def failed(thing: str, error: DriverError, fix: str = "") -> Reach:
    """It did not do what was asked: refused by somebody who is there, or nobody is."""
    refusing = isinstance(error, LoginRefused | Untrusted)
    away = isinstance(error, Unreachable | TimedOut) and not refusing
    return Reach(thing=thing, state=State.AWAY if away else State.WRONG, said=str(error), fix=fix)
