"""Recorded answers of the genuine Proxmox VE API, as replies of a test's server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from .tls_server import Reply

CAPTURES = Path(__file__).parents[4] / "shared" / "contracts" / "proxmox" / "captures"
needs_captures = pytest.mark.skipif(
    not CAPTURES.is_dir(), reason=f"no recorded answers of the real API at {CAPTURES}"
)


def replay(name: str) -> Reply:
    """The recorded status line and body of one capture."""
    lines = (CAPTURES / f"{name}.txt").read_text().splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("HTTP/1.1 "))
    _, status, reason = lines[start].split(" ", 2)
    blank = next(number for number in range(start, len(lines)) if not lines[number])
    body = next((line for line in lines[blank + 1 :] if line.startswith("{")), "")
    return Reply(int(status), reason, body.encode())


def from_log(name: str, label: str) -> Any:
    """The JSON after ``## label`` in one of the recorded sessions.

    Long lists were cut when they were recorded: their whole entries are given.
    """
    for line in (CAPTURES / f"{name}.txt").read_text().splitlines():
        if line.startswith(f"## {label} "):
            text = line.removeprefix(f"## {label} ")
            return json.loads(text if text.endswith("]") else text[: text.rindex("}, {")] + "}]")
    raise LookupError(label)


def data(value: object) -> Reply:
    """A 200 with this ``data``."""
    return Reply(body=json.dumps({"data": value}).encode())
