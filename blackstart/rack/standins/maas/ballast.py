"""Memory of the guest: what it may have, what it holds for good, and more of it.

A virtual machine's page cache is memory of its kvm process, which the host cannot take back. In
a container it would be page cache of the host, which it takes back at once; so what a sync caches
is held here as anonymous memory. Unlike a kvm process, this one gives it back when it ends: the
rack is then as before.
"""

from __future__ import annotations

import mmap
import os
from contextlib import suppress
from pathlib import Path

CGROUP = Path("/sys/fs/cgroup")
PAGE = mmap.PAGESIZE
STEP_BYTES = 4 << 20
PRIVATE = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
"""Shared memory, which is the default, would be a file's to the kernel."""


class GuestMemory:
    """The guest's own control group, which is the root of the hierarchy that it sees."""

    def __init__(self, cgroup: Path = CGROUP) -> None:
        self._cgroup = cgroup

    def limit(self) -> int:
        """Bytes that the guest may have: its configuration's ``memory:``.

        0 where there is no limit: then this is no guest, and nothing may be taken of it.
        """
        try:
            text = (self._cgroup / "memory.max").read_text().strip()
        except FileNotFoundError:
            return 0
        return int(text) if text != "max" else 0

    def held(self) -> int:
        """Bytes that the host could not take back: all but files' pages."""
        try:
            current = int((self._cgroup / "memory.current").read_text())
            lines = (self._cgroup / "memory.stat").read_text().splitlines()
        except FileNotFoundError:
            return 0
        shown = dict(line.split() for line in lines)
        return current - int(shown["active_file"]) - int(shown["inactive_file"])


class Ballast:
    """Anonymous memory that is really there: every page is written."""

    def __init__(self) -> None:
        self.size = 0
        self._parts: list[mmap.mmap] = []

    def grow(self, size: int) -> None:
        """Take so many bytes more, in steps, with real-time priority.

        Close to the end of the host's memory whoever else gets the processor reads back what
        was just dropped; the kernel sees progress then and kills nobody for minutes.
        """
        # Where that is not allowed, as in tests, it only takes longer.
        with suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
        try:
            while size > 0:
                step = min(size, STEP_BYTES)
                pages = max(1, step // PAGE)
                part = mmap.mmap(-1, pages * PAGE, flags=PRIVATE)
                part[::PAGE] = b"\x01" * pages
                self._parts.append(part)
                self.size += pages * PAGE
                size -= pages * PAGE
        finally:
            with suppress(OSError):
                os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
