"""Made-up programs, to put in front of the host's own."""

from __future__ import annotations

from pathlib import Path


def program(directory: Path, name: str, script: str) -> None:
    """Write an executable shell script."""
    directory.mkdir(exist_ok=True)
    (directory / name).write_text(f"#!/bin/sh\n{script}\n")
    (directory / name).chmod(0o755)
