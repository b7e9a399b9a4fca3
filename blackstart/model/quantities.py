"""Quantities as people write them: ``90s``, ``5m``, ``2h``."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BeforeValidator

_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*(ms|s|m|h|d)")
_UNIT_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}

LONGEST_S = 366 * 86400.0


def parse_duration(text: object) -> float:
    """Seconds from ``90s``, ``5m``, ``1.5h``, ``2d``, ``200ms``; bare numbers are refused.

    Raises ``ValueError`` when the unit is missing: 5 of what has cost people nights.
    """
    match = _DURATION.fullmatch(text.strip()) if isinstance(text, str) else None
    if match is None:
        raise ValueError(f"{text!r} is no duration; write a number and a unit, such as 90s or 5m")
    seconds = float(match[1]) * _UNIT_S[match[2]]
    if seconds > LONGEST_S:
        raise ValueError(f"{text!r} is longer than a year; write what a person would wait")
    return seconds


def format_duration(seconds: float) -> str:
    """A duration a person reads at a glance: ``0.4s``, ``41s``, ``2m05s``, ``3h10m``."""
    if seconds < 10:
        return f"{seconds:.1f}s"
    whole = round(seconds)
    if whole < 100:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02d}s"
    return f"{whole // 3600}h{whole % 3600 // 60:02d}m"


def within(least: str, most: str) -> BeforeValidator:
    """Reads a duration from ``least`` to ``most``, both included.

    What is refused would not be obeyed: a lease of no time, a wait until next year.
    """
    shortest_s, longest_s = parse_duration(least), parse_duration(most)

    def read(text: object) -> float:
        seconds = parse_duration(text)
        if not shortest_s <= seconds <= longest_s:
            raise ValueError(f"{text!r} is not from {least} to {most}; write one that is")
        return seconds

    return BeforeValidator(read)


Duration = Annotated[float, BeforeValidator(parse_duration)]
"""A pydantic field holding seconds, written with a unit."""
Budget = Annotated[float, within("1s", "1d")]
"""In which something must be back: in no time is nobody."""
