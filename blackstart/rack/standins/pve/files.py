"""Files that survive a power cut: the old content or the new one, never a part."""

from __future__ import annotations

import os
from pathlib import Path

from .errors import Died


def write_atomically(path: Path, content: bytes, mode: int = 0o640) -> None:
    """Replace a file by way of a temporary file beside it, with fsync.

    Raises ``Died`` with the vendor's text when the directory may not be
    written, as ``/etc/pve`` without quorum.
    """
    temporary = _temporary(path)
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    except OSError as error:
        # A read-only bind mount says EROFS where the vendor's FUSE says EACCES.
        raise may_not_write(path) from error
    with os.fdopen(descriptor, "wb") as stream:
        os.fchmod(stream.fileno(), mode)
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    temporary.replace(path)
    sync_directory(path.parent)


def may_not_write(path: Path) -> Died:
    """The vendor's text for a file below ``/etc/pve`` that must not change now."""
    return Died(f"unable to open file '{_temporary(path)}' - Permission denied")


def sync_directory(directory: Path) -> None:
    """Make a rename or an unlink in ``directory`` survive a power cut."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _temporary(path: Path) -> Path:
    return path.with_name(f"{path.name}.tmp.{os.getpid()}")
