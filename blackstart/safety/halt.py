"""The kill switch: a running drill stops, reverts first, and no other may start.

A file per site beside the leases, so that it works from any shell of this machine,
whatever state the drill's own process is in.
"""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path

from blackstart.errors import UsageError
from blackstart.safety.lease import no_place, who


def _file(leases: Path, site: str) -> Path:
    return leases / f"{site}.halted"


def halt(leases: Path, site: str, why: str) -> None:
    """Stop drills of a site until ``resume``; whole or not at all on disk.

    Raises ``UsageError`` when that cannot be written: a running drill goes on then.
    """
    path = _file(leases, site)
    now = datetime.now(UTC).isoformat(timespec="seconds")
    holder = {"who": who(), "since": now, "why": why}
    temporary = path.with_suffix(f".{os.getpid()}")
    try:
        leases.mkdir(parents=True, exist_ok=True)
        temporary.write_text(json.dumps(holder))
        temporary.replace(path)
    except OSError as error:
        raise UsageError(no_place(path, error)) from error


def resume(leases: Path, site: str) -> bool:
    """Let drills run again; whether they were halted. Raises ``UsageError`` when it cannot."""
    path = _file(leases, site)
    try:
        path.unlink()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise UsageError(no_place(path, error)) from error
    return True


def halted(leases: Path, site: str) -> str | None:
    """Who halted drills of this site, since when and why; ``None`` when nobody did.

    What is there and cannot be read halts, too.
    """
    try:
        holder = json.loads(_file(leases, site).read_text())
        return f"halted by {holder['who']} since {holder['since']}: {holder['why']}"
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError):
        return "halted, by whom cannot be read"
