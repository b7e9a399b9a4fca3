"""``pveversion``: which release this stands in for."""

from __future__ import annotations

import os

from .. import REPOSITORY_ID, VERSION


def main(_arguments: list[str]) -> int:
    """Entry point of ``pveversion``."""
    kernel = os.uname().release
    print(f"pve-manager/{VERSION}/{REPOSITORY_ID} (running kernel: {kernel})")
    return 0
