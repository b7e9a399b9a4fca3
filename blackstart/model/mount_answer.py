"""One bounded question to a network mount, and what its answer means.

``stat -f`` asks the server every time; a directory is served from the client's cache
(nfs(5): ``acdirmax``). Only SIGKILL ends a process that waits for a dead server (nfs(5)
on ``intr``), so nothing milder bounds the question.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from enum import StrEnum

NETWORKED = "nfs"
"""What ``stat -f -c %T`` says of NFS, whatever its version."""
KILLED = 137
"""Exit code of timeout(1) when it had to kill: 128 + SIGKILL."""
NOT_ASKED = frozenset({125, 126, 127})
"""Exit codes of timeout(1) and sh(1) that say: the question could not be put."""
_STALE = ("Stale file handle", "Permission denied")


class MountState(StrEnum):
    """What one question found. ``FAILS`` is an error such as a ``soft`` mount gives."""

    ANSWERS = "answers"
    HANGS = "hangs"
    STALE = "is stale"
    FAILS = "fails"
    NOT_MOUNTED = "is not mounted"


@dataclass(frozen=True, slots=True)
class MountAnswer:
    """What a mount answered; ``detail`` for a person."""

    state: MountState
    detail: str = ""


def question(path: str, bound_s: int) -> str:
    """The line that asks for the mount at ``path``; it ends within ``bound_s`` seconds.

    timeout(1) kills itself as well, which ``exit $?`` turns into an exit status.
    """
    stat = f"timeout -s KILL {bound_s} stat -f -c %T -- {shlex.quote(path)}"
    return f"export LC_ALL=C; {stat}; exit $?"


def understand(
    path: str, bound_s: int, exit_code: int, stdout: str, stderr: str
) -> MountAnswer | None:
    """What the line printed means; ``None`` when the host could not even ask."""
    if exit_code in NOT_ASKED:
        return None
    if exit_code == KILLED:
        return MountAnswer(MountState.HANGS, f"no answer within {bound_s} s")
    said = stderr.strip().rpartition(": ")[2]
    if exit_code != 0:
        state = MountState.STALE if said in _STALE else MountState.FAILS
        return MountAnswer(state, said or f"stat exited with {exit_code}")
    kind = stdout.strip()
    if kind != NETWORKED:
        return MountAnswer(MountState.NOT_MOUNTED, f"{path} is on {kind or 'nothing known'}")
    return MountAnswer(MountState.ANSWERS)
