"""The kill switch: a running drill stops, reverts first, and no other may start.

A file per site beside the leases, so that it works from any shell of this machine,
whatever state the drill's own process is in.
"""

from __future__ import annotations

import getpass
import json
import os
import socket
from datetime import UTC, datetime
from pathlib import Path


def _file(leases: Path, site: str) -> Path:
    return leases / f"{site}.halted"


def halt(leases: Path, site: str, why: str) -> None:
    """Stop drills of a site until ``resume``; whole or not at all on disk."""
    leases.mkdir(parents=True, exist_ok=True)
    path = _file(leases, site)
    now = datetime.now(UTC).isoformat(timespec="seconds")
    holder = {"who": f"{getpass.getuser()}@{socket.gethostname()}", "since": now, "why": why}
    temporary = path.with_suffix(f".{os.getpid()}")
    temporary.write_text(json.dumps(holder))
    temporary.replace(path)


def resume(leases: Path, site: str) -> bool:
    """Let drills run again; whether they were halted."""
    path = _file(leases, site)
    was = path.exists()
    path.unlink(missing_ok=True)
    return was


def halted(leases: Path, site: str) -> str | None:
    """Who halted drills of this site, since when and why; ``None`` when nobody did."""
    try:
        text = _file(leases, site).read_text()
    except FileNotFoundError:
        return None
    try:
        holder = json.loads(text)
        return f"halted by {holder['who']} since {holder['since']}: {holder['why']}"
    except (ValueError, KeyError, TypeError):
        return "halted, by whom cannot be read"
