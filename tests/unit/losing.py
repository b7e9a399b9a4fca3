"""What a check is given, with one thing less in it: a source lost, or a question not asked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any

from blackstart.model.observed import Observed, Record

WHY = "no answer within 5 s"


def lessened(value: Any, at: str = "") -> Iterator[tuple[str, Any]]:
    """Each single way to know less, and where: what the inventory says is always known.

    A source that could not be read has its error instead of its value. An entry of a mapping, or
    a part that may be missing, is gone: nobody looked there.
    """
    if isinstance(value, Observed) and value.known:
        yield at, unread(value)
    for name, part in _parts(value).items():
        where = f"{at}.{name}".lstrip(".")
        for place, less in lessened(part, where):
            yield place, _with(value, name, less)
        if at and _may_be_missing(value, name, part):
            yield f"{where}: not asked", _without(value, name)


def blinded(value: Any) -> Any:
    """The same, of which nothing could be read."""
    if isinstance(value, Observed):
        return unread(value)
    for name, part in _parts(value).items():
        value = _with(value, name, blinded(part))
    return value


def unread(fact: Observed[Any]) -> Observed[Any]:
    """The same fact, whose source did not answer."""
    return type(fact)(source=fact.source, error=WHY)


def _parts(value: Any) -> Mapping[str, Any]:
    """What it consists of: a fact and the inventory are one piece."""
    if isinstance(value, Mapping):
        return value
    if isinstance(value, Record) and not isinstance(value, Observed):
        return {name: getattr(value, name) for name in type(value).model_fields}
    if is_dataclass(value) and not isinstance(value, type):
        return {item.name: getattr(value, item.name) for item in fields(value)}
    return {}


def _with(value: Any, name: str, part: Any) -> Any:
    if isinstance(value, Mapping):
        return {**value, name: part}
    if isinstance(value, Record):
        return value.model_copy(update={name: part})
    return replace(value, **{name: part})


def _may_be_missing(value: Any, name: str, part: Any) -> bool:
    """Whether it is something read that need not be there."""
    read = next(lessened(part, name), None) is not None
    if isinstance(value, Mapping):
        return read
    return read and isinstance(value, Record) and type(value).model_fields[name].default is None


def _without(value: Any, name: str) -> Any:
    if isinstance(value, Mapping):
        return {key: part for key, part in value.items() if key != name}
    return _with(value, name, None)
