"""The site's lease: one drill at a time, and everybody can read who, since when and why.

Replays of incidents have one of their own in another directory: each of their drills needs this.

A lock of the operating system (flock(2)) on a file per site, so that it goes with the
process that held it, however that ended.
"""

from __future__ import annotations

import fcntl
import getpass
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from blackstart.drivers.base import Clock
from blackstart.errors import Refusal, UsageError


def lease_directory() -> Path:
    """Where leases of this machine live (XDG base directory specification)."""
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state"
    return Path(state) / "blackstart" / "leases"


@contextmanager
def hold(
    site: str, why: str, clock: Clock, directory: Path, *, stop: str = "blackstart halt"
) -> Iterator[None]:
    """Hold the site's lease while the block runs; ``stop`` is how a person ends who has it.

    Raises ``Refusal`` at once, naming the holder, when somebody else has it, and
    ``UsageError`` where no lease can be kept.
    """
    with _opened(directory, f"{site}.json") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            held = f"lease: site {site} is held by {_holder(file.name)}"
            raise Refusal([f"{held}; wait for it, or stop it: {stop}"]) from None
        holder = {
            "who": who(),
            "pid": os.getpid(),
            "since": clock.wall(),
            "why": why,
        }
        file.truncate(0)
        file.write(json.dumps(holder))
        file.flush()
        try:
            yield
        finally:
            file.truncate(0)


def _opened(directory: Path, name: str) -> TextIO:
    try:
        directory.mkdir(parents=True, exist_ok=True)
        return (directory / name).open("a+")
    except OSError as error:
        raise UsageError(no_place(directory / name, error)) from error


def who() -> str:
    """Who runs this, and where; in a container a number need not have a name."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = f"user {os.getuid()}"
    return f"{user}@{socket.gethostname()}"


def no_place(path: Path, error: OSError) -> str:
    """What to tell a person of a file beside the leases that cannot be written."""
    return f"cannot keep {path}: {error.strerror}; let XDG_STATE_HOME name a directory of yours"


def _holder(path: str) -> str:
    try:
        holder = json.loads(Path(path).read_text())
        since = datetime.fromtimestamp(holder["since"], UTC).isoformat(timespec="seconds")
        return f"{holder['who']} (process {holder['pid']}) since {since}, for {holder['why']}"
    except (OSError, ValueError, KeyError, TypeError, OverflowError):
        return "another process"
