"""Into the rack's network: the namespace in which its machines can be reached."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from blackstart.rack import host, record
from blackstart.rack.errors import HostError
from blackstart.rack.network import HANDLE


def inside() -> bool:
    """Whether this process is in the rack's network namespace."""
    return HANDLE.exists() and HANDLE.stat().st_ino == Path("/proc/self/ns/net").stat().st_ino


def prefix() -> list[str]:
    """The words in front of a command that must run in the rack's network (root only)."""
    return [] if inside() else ["nsenter", f"--net={HANDLE}"]


def rack_home() -> Path | None:
    """The home (secrets, logs) of the rack that runs on this host, ``None`` when none does."""
    running = record.read()
    return Path(running.home) if running is not None and running.alive else None


def execute(argv: Sequence[str]) -> NoReturn:
    """Replace this process by a command inside the rack's network.

    Same directory and environment; a caller that came through sudo is dropped
    back to the own user. Raises `HostError` when no rack is up or there is no
    such command.
    """
    if rack_home() is None:
        raise HostError("no rack is up", "blackstart rack up")
    outside = not inside()
    if outside:
        host.require_root()
    if shutil.which(argv[0]) is None:
        raise HostError(f"there is no command '{argv[0]}'", "check its name and PATH")
    words = [*prefix(), *host.caller_prefix(), *argv] if outside else list(argv)
    sys.stdout.flush()
    sys.stderr.flush()
    os.execvpe(words[0], words, host.caller_environment())  # noqa: S606 - exec is the contract


def ensure_inside(argv: Sequence[str]) -> None:
    """Re-exec the current command inside the rack's network, unless it is inside already.

    ``argv`` is the whole command line, interpreter included. Raises `HostError`
    when no rack is up.
    """
    if not inside():
        execute(argv)
