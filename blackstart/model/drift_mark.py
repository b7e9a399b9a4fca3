"""The mark that a replay of an incident leaves on the rack, for as long as its drift is applied.

A reset of the rack takes it away with everything else.
"""

from __future__ import annotations

MARK = "/var/lib/blackstart-incident"
"""A file on the last declared machine; in it stands ``INCIDENT@DRIFT``."""


def look_for(mark: str) -> str:
    """The POSIX shell command that prints what stands in it; nothing where there is none."""
    return f"[ ! -e {mark} ] || cat {mark}"
