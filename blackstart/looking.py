"""The looks at a site that checks and the boot graph are made of: bounded together, not singly.

Everybody is greeted first, all at once, because waiting for an answer costs nobody a processor.
Who is away is answered for after that, so that a host that hangs is waited for once and not in each
look. How many looks go on at once is the inventory's (``probing.looks_at_once``): what they run
on the hosts costs processors there, and on slow ones they would make each other late.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from blackstart.drivers.base import Site
from blackstart.drivers.bounded import gather
from blackstart.errors import DriverError, TimedOut, Unreachable

FACTS, HOSTS, READINESS = "facts", "hosts", "readiness"
GREET_S = 12.0
"""For a login: while a machine boots, pam_systemd holds one back for more than 5 s."""
WHOLE_S = 50.0
"""The greeting and all looks, when somebody is away; a person waits a minute for a decision."""
KEPT_S = 10.0
"""Of that, what each look that has not begun yet is sure of."""
GRACE_S = 4.0
AT_ONCE_BESIDE_SOMEBODY_AWAY = 2
"""Seen on the rack: one at a time, the last section of the last host's script was cut off."""
LOOK_S = 75.0
"""Longer than any look bounds itself to: this is for what does not keep its bound."""

Look = Callable[[], Any]


def look_at_all(site: Site) -> Mapping[str, Any]:
    """What ``FACTS``, ``HOSTS`` and ``READINESS`` gave, each possibly a ``DriverError``.

    Ends ``WHOLE_S`` seconds and a grace after it began, whoever hangs. Only where nobody is away
    and looks take turns, each has its own bound alone: such a site is slow, and nobody hangs.
    """
    # The quickest first: what it leaves of its time is the others'.
    looks: dict[str, Look] = {FACTS: site.facts, HOSTS: site.host_boots}
    if site.readiness is not None:
        looks = {READINESS: site.readiness, **looks}
    at_once = min(site.inventory.probing.looks_at_once, len(looks))
    end = time.monotonic() + WHOLE_S
    away = _greet(site)
    if not away and at_once < len(looks):
        return gather(looks, workers=at_once, timeout_s=LOOK_S * len(looks) / at_once)
    # Who is away is waited for, and that costs nobody a processor: another look goes on meanwhile.
    at_once = min(max(at_once, AT_ONCE_BESIDE_SOMEBODY_AWAY), len(looks))
    with site.triage.sorted_out(away):
        turns = _Turns(site, end, at_once, len(looks))
        return gather(
            {name: partial(turns.take, look) for name, look in looks.items()},
            workers=at_once,
            timeout_s=end - time.monotonic() + GRACE_S,
        )


def _greet(site: Site) -> Mapping[str, DriverError]:
    """Who gives no answer, and how; who answers and says no is not away."""
    greetings = site.greetings
    answers = gather(greetings, workers=max(len(greetings), 1), timeout_s=GREET_S)
    return {
        name: answer
        for name, answer in answers.items()
        if isinstance(answer, Unreachable | TimedOut)
    }


class _Turns:
    """Leaves each look that has not begun its share of the time."""

    def __init__(self, site: Site, end: float, at_once: int, waiting: int) -> None:
        self._site = site
        self._end = end
        self._at_once = at_once
        self._waiting = waiting
        self._lock = threading.Lock()

    def take(self, look: Look) -> Any:
        """Take a look, with the time that there is for it."""
        with self._lock:
            self._waiting -= 1
            rounds = -(-self._waiting // self._at_once)
            # The first ones begin together; those who wait have rounds of their own.
            self._site.triage.hurry(self._end - KEPT_S * rounds)
        return look()
