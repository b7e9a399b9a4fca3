"""Which of a host's kernels boots next."""

from __future__ import annotations

import re

from blackstart.model.host_boot import Kernels

_PART = re.compile(r"\d+|[a-z]+")


def next_kernel(kernels: Kernels) -> str | None:
    """The pinned release, else the newest one on disk (grub-mkconfig(8)); ``None`` for none."""
    if kernels.pinned:
        return kernels.pinned
    return max(kernels.images, key=_order, default=None)


def _order(release: str) -> list[tuple[int, int, str]]:
    """Numbers by value and before words, so that 6.10 is after 6.9 and a release after its rc."""
    parts = _PART.findall(release)
    return [(1, int(part), "") if part.isdigit() else (0, 0, part) for part in [*parts, "zz"]]
