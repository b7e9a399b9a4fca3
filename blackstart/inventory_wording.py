"""Pydantic's findings in words for the person who wrote the file: what; remedy."""

from __future__ import annotations

import re
import types
from collections.abc import Callable, Iterator, Mapping
from ipaddress import AddressValueError
from typing import Annotated, Any, TypeGuard, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from blackstart.model.document import Path, did_you_mean
from blackstart.model.inventory import Inventory
from blackstart.yaml_nodes import shown


def wording(detail: ErrorDetails, path: Path, root: type[BaseModel] = Inventory) -> str:
    """``what is wrong; remedy`` for one finding; a value that may be secret is not quoted.

    ``root`` is the model of the whole document: it knows the keys of each place.
    """
    write = _WORDS.get(detail["type"], _other)
    return write(_Finding(detail, path, root))


class _Finding:
    """One of pydantic's errors, with what messages need of it."""

    def __init__(self, detail: ErrorDetails, path: Path, root: type[BaseModel]) -> None:
        self.root = root
        self.message = detail["msg"]
        self.path = path
        self.key = str(path[-1]) if path else "the document"
        self.value = detail["input"]
        self.quoted = shown(self.value, path)
        self.context: Mapping[str, Any] = detail.get("ctx", {})

    @property
    def secret(self) -> bool:
        return self.quoted != shown(self.value, ())


def _unknown_key(finding: _Finding) -> str:
    return f"unknown key '{finding.key}'; {did_you_mean(finding.key, _keys_at(finding))}"


def _keys_at(finding: _Finding) -> tuple[str, ...]:
    """The keys that the model knows where this one stands."""
    kind: object = finding.root
    for step in finding.path[:-1]:
        kind = next(_below(kind, step), None)
    models = [option for option in _options(kind) if _is_model(option)]
    return tuple(models[0].model_fields) if models else ()


def _is_model(kind: object) -> TypeGuard[type[BaseModel]]:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _options(kind: object) -> Iterator[object]:
    """What a type may be, without its annotations and alternatives' wrapping."""
    if get_origin(kind) is Annotated:
        yield from _options(get_args(kind)[0])
    elif get_origin(kind) in {Union, types.UnionType}:
        for option in get_args(kind):
            yield from _options(option)
    else:
        yield kind


def _below(kind: object, step: str | int) -> Iterator[object]:
    for option in _options(kind):
        if _is_model(option) and step in option.model_fields:
            yield option.model_fields[str(step)].annotation
        elif get_origin(option) is dict:
            yield get_args(option)[1]
        elif get_origin(option) is tuple:
            yield get_args(option)[0]


def _missing(finding: _Finding) -> str:
    where = f" in {'.'.join(map(str, finding.path[:-1]))}" if len(finding.path) > 1 else ""
    return f"'{finding.key}' is missing{where}; add it"


def _own_words(finding: _Finding) -> str:
    error = finding.context.get("error")
    if isinstance(error, AddressValueError):
        return f"{finding.quoted} is no IPv4 address; write it as 192.0.2.10"
    return str(error)


def _no_text(finding: _Finding) -> str:
    if finding.value is None:
        return _empty(finding)
    if finding.secret:
        return (
            f"'{finding.key}' is no reference; secrets are references, never values: "
            "write env:NAME, file:/path or rack:NAME"
        )
    if isinstance(finding.value, bool | int | float):
        return f"{finding.quoted} is not read as text; write '{finding.key}' in quotes"
    return f"'{finding.key}' must be text; write one value"


def _empty(finding: _Finding) -> str:
    return f"'{finding.key}' has no value; fill it in or remove the key"


def _expects(kind: str, example: str) -> Callable[[_Finding], str]:
    def write(finding: _Finding) -> str:
        if finding.value is None:
            return _empty(finding)
        return f"'{finding.key}' must be {kind}; write {example}"

    return write


def _choice(finding: _Finding) -> str:
    options = re.findall(r"'([^']*)'", str(finding.context.get("expected", "")))
    near = did_you_mean(str(finding.value), options)
    return f"{finding.quoted} is none of {', '.join(options)}; {near}"


def _range(finding: _Finding) -> str:
    limits = {"ge": "at least", "gt": "more than", "le": "at most", "lt": "less than"}
    given = finding.context
    said = [f"{words} {given[key]:.15g}" for key, words in limits.items() if key in given]
    return f"{finding.quoted} is out of range; write {' and '.join(said)}"


def _too_short(finding: _Finding) -> str:
    return f"'{finding.key}' is empty; give it at least one entry"


def _date(finding: _Finding) -> str:
    return f"{finding.quoted} is no date; write it as 2026-12-31"


def _other(finding: _Finding) -> str:
    return f"'{finding.key}' is wrong: {finding.message}; correct it"


_MAPPING = _expects("a mapping", "keys below it, indented")
_LIST = _expects("a list", "its entries as [one, two]")

_WORDS: dict[str, Callable[[_Finding], str]] = {
    "extra_forbidden": _unknown_key,
    "missing": _missing,
    "value_error": _own_words,
    "string_type": _no_text,
    "int_type": _expects("a whole number", "digits without quotes"),
    "float_type": _expects("a number", "digits without quotes"),
    "bool_type": _expects("true or false", "one of the two without quotes"),
    "dict_type": _MAPPING,
    "model_type": _MAPPING,
    "tuple_type": _LIST,
    "literal_error": _choice,
    "greater_than": _range,
    "greater_than_equal": _range,
    "less_than": _range,
    "less_than_equal": _range,
    "too_short": _too_short,
    "date_type": _date,
    "date_parsing": _date,
    "date_from_datetime_parsing": _date,
    "date_from_datetime_inexact": _date,
}
