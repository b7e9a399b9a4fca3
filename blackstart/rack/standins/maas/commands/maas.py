"""``maas status``: the services of the snap, as its own pebble lists them."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from datetime import datetime

from ..units import DHCPD, NAMED, PEBBLE, Systemd, UnitControl, UnitState

USAGE = "usage: maas status"
SERVICES = {
    "agent": PEBBLE,
    "apiserver": PEBBLE,
    "bind9": NAMED,
    "dhcpd": DHCPD,
    "dhcpd6": None,
    "http": PEBBLE,
    "ntp": None,
    "proxy": None,
    "rackd": PEBBLE,
    "regiond": PEBBLE,
    "syslog": None,
}
"""By unit here; without one it is a service of the snap that the stand-in does not have."""
HEAD = ("Service", "Startup", "Current", "Since")
_WRITTEN = "%a %Y-%m-%d %H:%M:%S"


def main(arguments: list[str]) -> int:
    """Entry point of ``maas``; 2 for what is not here, 1 for others than root."""
    if arguments != ["status"]:
        print(f"{USAGE} (of the vendor's command nothing else is here)", file=sys.stderr)
        return 2
    if os.geteuid() != 0:
        print("maas status: this command must be run as root", file=sys.stderr)
        return 1
    print("\n".join(table(Systemd(), time.time())))
    return 0


def table(units: UnitControl, now: float) -> Iterator[str]:
    """The lines of the table at a time (seconds since 1970)."""
    states = units.states(PEBBLE, NAMED, DHCPD)
    rows = [HEAD, *(_row(name, unit, states.get(unit or ""), now) for name, unit in _sorted())]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield "  ".join(cells).rstrip()


def _sorted() -> list[tuple[str, str | None]]:
    return sorted(SERVICES.items())


def _row(
    name: str, unit: str | None, state: UnitState | None, now: float
) -> tuple[str, str, str, str]:
    if unit is None:
        return name, "disabled", "inactive", "-"
    current = _current(state)
    since = _since(state.since, now) if state is not None and current == "active" else "-"
    return name, "enabled", current, since


def _current(state: UnitState | None) -> str:
    """In pebble's words: active, inactive, backoff, error."""
    if state is None:
        return "error"
    if state.sub == "auto-restart":
        return "backoff"
    return {"active": "active", "failed": "error"}.get(state.active, "inactive")


def _since(text: str, now: float) -> str:
    """``today at 10:11 UTC``, or the day."""
    words = text.rpartition(" ")
    try:
        when = datetime.strptime(words[0], _WRITTEN)
    except ValueError:
        return "-"
    zone = words[2]
    days = (datetime.fromtimestamp(now).date() - when.date()).days
    if days == 0:
        return f"today at {when:%H:%M} {zone}"
    return f"yesterday at {when:%H:%M} {zone}" if days == 1 else f"{when:%Y-%m-%d}"
