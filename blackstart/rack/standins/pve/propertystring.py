"""The vendor's property strings: ``local:102/disk.raw,size=4G`` and ``order=1,up=5``."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .errors import Died

_UNITS = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)([KMGT]?)")
_ORDER = re.compile(r"\d+")


def parse(text: str, default_key: str) -> dict[str, str]:
    """Split ``a,b=c`` into a dictionary; a part without ``=`` belongs to ``default_key``."""
    properties: dict[str, str] = {}
    for part in filter(None, text.split(",")):
        key, equals, value = part.partition("=")
        if equals:
            properties[key] = value
        else:
            properties[default_key] = key
    return properties


def size_bytes(text: str) -> int:
    """``528K``, ``4G`` in bytes; 0 for what is not a size."""
    match = _SIZE.fullmatch(text)
    return int(float(match[1]) * _UNITS[match[2]]) if match else 0


@dataclass(frozen=True, slots=True)
class Startup:
    """Place and delays of a guest at boot and shutdown; delays in seconds.

    Without ``order`` a guest comes after all that have one.
    """

    order: int | None = None
    up_s: int | None = None
    down_s: int | None = None


def parse_startup(text: str) -> Startup:
    """Read ``[[order=]N][,up=N][,down=N]``; raises ``Died`` on anything else."""
    properties = parse(text, "order")
    if set(properties) - {"order", "up", "down"} or not all(
        _ORDER.fullmatch(value) for value in properties.values()
    ):
        raise Died("unable to parse startup options")
    numbers = {key: int(value) for key, value in properties.items()}
    return Startup(numbers.get("order"), numbers.get("up"), numbers.get("down"))
