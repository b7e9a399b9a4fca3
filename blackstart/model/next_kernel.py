"""Which of a host's kernels boots next."""

from __future__ import annotations

import re

from blackstart.model.host_boot import Kernels

# Raspberry Pi OS installs a kernel for each kind of board, and the firmware takes its own.
_BOARD = re.compile(r"\+rpt-rpi-\w+$")
_PART = re.compile(r"\d+|[a-z]+")


def next_kernel(kernels: Kernels) -> str | None:
    """The pinned release, else the newest one on disk (grub-mkconfig(8)); ``None`` for none.

    Of a board whose firmware chooses among kinds of kernels, the newest one of its kind.
    """
    if kernels.pinned:
        return kernels.pinned
    board = _BOARD.search(kernels.running)
    kind = board[0] if board else ""
    return max((item for item in kernels.images if item.endswith(kind)), key=_order, default=None)


def _order(release: str) -> list[tuple[int, int, str]]:
    """Numbers by value and before words, so that 6.10 is after 6.9 and a release after its rc."""
    parts = _PART.findall(release)
    return [(1, int(part), "") if part.isdigit() else (0, 0, part) for part in [*parts, "zz"]]
