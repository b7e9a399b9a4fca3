"""The vendor's unique process identifier, which names a task.

``UPID:node:pid8:pstart8:start8:type:id:user:``, numbers in upper-case hex, start
time in seconds since 1970, process start in hundredths of a second since boot.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from .errors import BadParameters

_UPID = re.compile(
    r"UPID:([a-zA-Z0-9-]+):([0-9A-Fa-f]{8}):([0-9A-Fa-f]{8,9}):([0-9A-Fa-f]{8}):"
    r"([^:\s/]+):([^:\s/]*):([^:\s/]+):"
)


@dataclass(frozen=True, slots=True)
class Upid:
    """A task's name, taken apart."""

    node: str
    pid: int
    pstart: int
    starttime: int
    kind: str
    subject: str
    user: str

    def __str__(self) -> str:
        numbers = f"{self.pid:08X}:{self.pstart:08X}:{self.starttime:08X}"
        return f"UPID:{self.node}:{numbers}:{self.kind}:{self.subject}:{self.user}:"

    def fields(self) -> dict[str, str | int]:
        """What every view of a task tells; a token's user is shown without the token."""
        user, _, token = self.user.partition("!")
        fields: dict[str, str | int] = {
            "upid": str(self),
            "node": self.node,
            "starttime": self.starttime,
            "type": self.kind,
            "id": self.subject,
            "user": user,
        }
        return fields | ({"tokenid": token} if token else {})


def parse_upid(text: str) -> Upid:
    """Take a UPID apart; raises ``BadParameters`` as the API does."""
    match = _UPID.fullmatch(text)
    if not match:
        raise BadParameters({"upid": "unable to parse worker upid"})
    node, pid, pstart, start, kind, subject, user = match.groups()
    return Upid(node, int(pid, 16), int(pstart, 16), int(start, 16), kind, subject, user)
