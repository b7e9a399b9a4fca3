"""Verification of a call's parameters, with the vendor's texts.

Source of the texts: recorded answers of Proxmox VE 9.1.7. An API call is
refused as a whole, with one text for each parameter that is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from .errors import BadParameters, Died
from .propertystring import parse, parse_startup

Kind = Literal["string", "integer", "number", "boolean"]
Value = str | int | float
UNDEFINED = "property is not defined in schema and the schema does not allow additional properties"
MISSING = "property is missing and it is not optional"
TRUE = frozenset({"1", "on", "yes", "true"})
FALSE = frozenset({"0", "off", "no", "false"})
_INTEGER = re.compile(r"[+-]?\d+")
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)")
_NODE = re.compile(r"[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?")
_STORAGE = re.compile(r"[a-z][a-z0-9\-_.]*[a-z0-9]", re.IGNORECASE)
_INDEX = re.compile(r"\d+$")


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter: its type, its bounds and, for some strings, the form of its text."""

    kind: Kind = "string"
    optional: bool = False
    minimum: int | None = None
    maximum: int | None = None
    longest: int | None = None
    choices: tuple[str, ...] = ()
    pattern: str | None = None
    requires: str | None = None
    form: str | None = None

    def maybe(self) -> Parameter:
        """The same parameter, optional."""
        return replace(self, optional=True)


NODE = Parameter(form="node")
VMID = Parameter("integer", minimum=100, maximum=999_999_999)
STORAGE = Parameter(form="storage")
STRING = Parameter(optional=True)
BOOLEAN = Parameter("boolean", optional=True)
COUNT = Parameter("integer", optional=True, minimum=0)
POSITIVE = Parameter("integer", optional=True, minimum=1)


def choice(*values: str) -> Parameter:
    """An optional string out of a fixed list."""
    return Parameter(optional=True, choices=values)


def generic_name(name: str) -> str:
    """``net0`` as the schema has it: ``net[n]``."""
    return _INDEX.sub("[n]", name)


def find(specification: Mapping[str, Parameter], name: str) -> Parameter | None:
    """The parameter's definition; numbered ones are defined once, as ``net[n]``."""
    return specification.get(name) or specification.get(generic_name(name))


def verify(given: Mapping[str, str], specification: Mapping[str, Parameter]) -> dict[str, Value]:
    """The parameters in their types; raises ``BadParameters`` naming each that is wrong."""
    errors: dict[str, str] = {}
    values: dict[str, Value] = {}
    for name, text in given.items():
        parameter = find(specification, name)
        if parameter is None:
            errors[name] = UNDEFINED
            continue
        try:
            values[name] = convert(parameter, text)
        except Died as error:
            errors[name] = error.text
        if parameter.requires and parameter.requires not in given:
            errors[parameter.requires] = f"missing property - '{name}' requires this property"
    for name, parameter in specification.items():
        if not parameter.optional and name not in given:
            errors[name] = MISSING
    if errors:
        raise BadParameters(errors)
    return values


def convert(parameter: Parameter, text: str) -> Value:
    """The text in the parameter's type; raises ``Died`` with the vendor's objection."""
    if parameter.kind == "boolean":
        if text.lower() not in TRUE | FALSE:
            raise Died(f"type check ('boolean') failed - got '{text}'")
        return int(text.lower() in TRUE)
    if parameter.kind == "string":
        _check_text(parameter, text)
        return text
    expected = _INTEGER if parameter.kind == "integer" else _NUMBER
    if not expected.fullmatch(text):
        raise Died(f"type check ('{parameter.kind}') failed - got '{text}'")
    number = int(text) if _INTEGER.fullmatch(text) else float(text)
    if parameter.minimum is not None and number < parameter.minimum:
        raise Died(f"value must have a minimum value of {parameter.minimum}")
    if parameter.maximum is not None and number > parameter.maximum:
        raise Died(f"value must have a maximum value of {parameter.maximum}")
    return number


def _check_text(parameter: Parameter, text: str) -> None:
    if parameter.form:
        _FORMS[parameter.form](text)
    if parameter.longest is not None and len(text) > parameter.longest:
        raise Died(f"value may only be {parameter.longest} characters long")
    if parameter.pattern and not re.fullmatch(parameter.pattern, text):
        raise Died("value does not match the regex pattern")
    if parameter.choices and text not in parameter.choices:
        allowed = ", ".join(parameter.choices)
        raise Died(f"value '{text}' does not have a value in the enumeration '{allowed}'")


def _check_node(text: str) -> None:
    if not _NODE.fullmatch(text):
        raise Died("invalid format - value does not look like a valid node name\n")


def _check_storage(text: str) -> None:
    if not _STORAGE.fullmatch(text):
        raise Died(f"invalid format - storage ID '{text}' contains illegal characters\n")


def _check_memory(text: str) -> None:
    for value in parse(text, "current").values():
        if not _INTEGER.fullmatch(value):
            raise Died(
                "invalid format - format error\n"
                f"memory.current: type check ('integer') failed - got '{value}'\n"
            )


def _check_startup(text: str) -> None:
    try:
        parse_startup(text)
    except Died as error:
        raise Died(f"invalid format - {error.text}\n") from error


_FORMS: dict[str, Callable[[str], None]] = {
    "node": _check_node,
    "storage": _check_storage,
    "memory": _check_memory,
    "startup": _check_startup,
}
