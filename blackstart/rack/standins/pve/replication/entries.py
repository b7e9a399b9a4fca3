"""One file of the configuration in one version."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from typing import Any

MAX_BYTES = 1024 * 1024
"""The vendor's own limit for one file."""
_TEMPORARY = re.compile(r"\.tmp\.\d+$")


@dataclass(frozen=True, slots=True, order=True)
class Stamp:
    """A version of a file: the higher number is newer, the writer breaks a tie."""

    version: int
    writer: int


@dataclass(frozen=True, slots=True)
class Content:
    """What stands in a file, and its permission bits."""

    mode: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Entry:
    """A file's content at a version; no content means that it was deleted."""

    path: str
    stamp: Stamp
    content: Content | None

    def to_json(self) -> dict[str, Any]:
        """For the wire."""
        message: dict[str, Any] = {
            "path": self.path,
            "version": self.stamp.version,
            "writer": self.stamp.writer,
        }
        if self.content is not None:
            message["mode"] = self.content.mode
            message["data"] = base64.b64encode(self.content.data).decode()
        return message


def entry_from_json(message: dict[str, Any]) -> Entry:
    """From the wire; raises ``ValueError`` for a path outside the tree."""
    path = str(message["path"])
    if not is_replicated(path):
        raise ValueError(f"not a path of the cluster file system: {path!r}")
    content = None
    if "data" in message:
        content = Content(int(message["mode"]) & 0o777, base64.b64decode(message["data"]))
    return Entry(path, Stamp(int(message["version"]), int(message["writer"])), content)


def is_replicated(path: str) -> bool:
    """Whether a path (relative to the tree) is carried to the other nodes."""
    parts = path.split("/")
    return (
        not parts[0].startswith(".")
        and all(part not in ("", ".", "..") for part in parts)
        and not _TEMPORARY.search(path)
    )
