"""Hosts that nobody may log in to: what is said of them, and which findings say only that."""

from __future__ import annotations

import re

GRANT = "declare `ssh:` with a user and a key that may log in there"
WITHOUT_SSH = (
    "`ssh: none` in the inventory, so what only the host shows is not seen; to see it, " + GRANT
)
_SAID = re.compile(rf"([\w.-]+): {re.escape(WITHOUT_SSH)}")
_MARK = "\0"


def closed_hosts(problem: str) -> tuple[str, ...]:
    """The hosts that are the whole reason of a problem; none where anything else is one, too."""
    found = tuple(dict.fromkeys(_SAID.findall(problem)))
    reasons = _SAID.sub(_MARK, problem).split("; ")
    return found if all(_MARK in reason for reason in reasons) else ()
