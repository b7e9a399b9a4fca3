"""One fact as it is compared: its members as text, and how they may change."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from blackstart.model.observed import Observed

Klass = Literal["identity", "set", "converging", "expected", "volatile"]
Members = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Reading:
    """One fact. ``members`` is ``None`` when it was not read, and ``why`` then says why.

    A plain value is the one member ``""``. With ``only_new``, members that vanish are
    no difference.
    """

    klass: Klass
    members: Members | None
    why: str = ""
    only_new: bool = False


def reading(
    observed: Observed[Any],
    klass: Klass,
    members: Callable[[Any], Members],
    *,
    only_new: bool = False,
) -> Reading:
    """That of an observed fact; ``members`` is asked only when it was read."""
    if not observed.known:
        return Reading(klass, None, f"{observed.error or 'no value'} ({observed.source})")
    return Reading(klass, members(observed.value), only_new=only_new)


def plain(value: object) -> Members:
    """A value that is compared as a whole."""
    return {"": str(value)}


def in_order(values: Iterable[str]) -> Members:
    """Values whose order says nothing, compared as a whole."""
    return {"": ", ".join(sorted(values)) or "none"}


def present(values: Iterable[str]) -> Members:
    """Values each of which is there or not."""
    return dict.fromkeys(values, "present")
