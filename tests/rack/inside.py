"""This very process inside the rack's network, for tests that drive it by library."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from blackstart.rack import enter
from blackstart.rack.network import HANDLE

CLONE_NEWNET = 0x40000000
_LIBC = ctypes.CDLL(None, use_errno=True)


def _enter(network: int) -> None:
    """setns(2); Python has it as os.setns only since 3.12."""
    if _LIBC.setns(network, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


@contextmanager
def rack_network() -> Iterator[None]:
    """Inside the rack's network; threads that are started within are inside as well."""
    if enter.inside():
        yield
        return
    if os.geteuid() != 0:
        pytest.skip("entering a network namespace within the process needs root")
    with Path("/proc/thread-self/ns/net").open() as before, HANDLE.open() as network:
        _enter(network.fileno())
        try:
            yield
        finally:
            _enter(before.fileno())
