"""How the image sync goes: its parameters, and the job that the importing process is given.

MAAS has none of these settings: it asks for all resources of an import at once (outage of July
2025: 24 resources, its machine killed 45 s after the sync had begun).

The arithmetic, with the guest at ``memory: 384`` (MiB) on a hypervisor that has 2176::

    disk     24 files of 2 MiB, and the 24 that they replace: 96 MiB of the disk's 512
    memory   0.8 of 384: the guest as a whole grows to 307 MiB, its services included; 77 stay
             for files, so that nothing in the guest is killed
    host     all guests of pve1 together may have 384 + 512 + 192 = 1088 MiB: half of it
    time     40 s for the files, and 10 s more with all held: 50 s

With ``memory: 2304`` the same share is 1843 MiB, and there is no swap. The 333 that remain are less
than the kernel, the host's own services and its other guests hold, so memory runs out in the
first 30 s and the kernel kills what is biggest: the guest as a whole.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path

MIB = 1 << 20
MOST_MIB = 128
"""Of all files of one import together: old and new must fit on the guest's disk."""
MOST_S = 600.0


@dataclass(frozen=True, slots=True)
class Parameters:
    """``image-sync.json``: how many files, how many of them at once, how big (MiB).

    ``memory_share`` is the part of the guest's own memory limit to which the whole guest grows,
    in the first three quarters of ``sync_s`` (seconds); it is held for ``hold_s`` after the last
    file.
    """

    resources: int = 24
    concurrency: int = 24
    mib_each: int = 2
    memory_share: float = 0.8
    sync_s: float = 40.0
    hold_s: float = 10.0

    def __post_init__(self) -> None:
        """Raise ``ValueError`` for what would not end, or not fit."""
        wrong = [
            name
            for name, good in (
                ("resources", 1 <= self.resources <= 24),
                ("concurrency", 1 <= self.concurrency <= 24),
                ("mib_each", self.mib_each >= 1 and self.resources * self.mib_each <= MOST_MIB),
                ("memory_share", 0 <= self.memory_share <= 0.95),
                ("sync_s", 0 < self.sync_s <= MOST_S),
                ("hold_s", 0 <= self.hold_s <= MOST_S),
            )
            if not good
        ]
        if wrong:
            raise ValueError(f"image-sync.json: out of bounds: {', '.join(wrong)}")

    def text(self) -> str:
        """The file's content."""
        return json.dumps(asdict(self), indent=2) + "\n"


def parameters(path: Path) -> Parameters:
    """Those of the file, and its defaults where there is none.

    Raises ``ValueError`` for a file that says something else, ``OSError`` for one that cannot
    be read.
    """
    if not path.exists():
        return Parameters()
    given = json.loads(path.read_text("utf-8"))
    known = {field.name for field in fields(Parameters)}
    if not isinstance(given, dict) or given.keys() - known:
        raise ValueError(f"{path.name} has keys other than {', '.join(sorted(known))}")
    return Parameters(**given)


@dataclass(frozen=True, slots=True)
class Job:
    """What one importing process does: files (names below ``directory``), their size in bytes."""

    directory: str
    files: tuple[str, ...]
    size: int
    parameters: Parameters

    def text(self) -> str:
        """As one line for the process' standard input."""
        return json.dumps(asdict(self)) + "\n"

    @classmethod
    def parse(cls, line: str) -> Job:
        """From that line."""
        given = json.loads(line)
        return cls(
            given["directory"],
            tuple(given["files"]),
            given["size"],
            Parameters(**given["parameters"]),
        )
