"""The vendor's API schema, and whether an answer is of it.

Proxmox VE has a JSON schema dialect of its own: booleans are 0 and 1, a
property is required unless ``optional``, more properties are allowed unless
``additionalProperties`` is 0.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

CONTRACTS = Path(__file__).parents[3] / "shared/contracts/proxmox"
SCHEMA_FILE = CONTRACTS / "apidata-9.1.json"
CAPTURES = CONTRACTS / "captures"
ABSENT = f"the vendor's recorded answers are not here ({CONTRACTS})"
Schema = dict[str, Any]


def load_schema() -> dict[tuple[str, str], Schema]:
    """Every method of the vendor's API by (verb, path)."""
    methods: dict[tuple[str, str], Schema] = {}
    pending = json.loads(SCHEMA_FILE.read_text())
    while pending:
        entry = pending.pop()
        pending += entry.get("children", [])
        for verb, method in entry.get("info", {}).items():
            methods[verb, entry["path"]] = method
    return methods


def violations(schema: Schema, value: Any, where: str = "data") -> Iterator[str]:
    """Everything about ``value`` that the schema does not allow."""
    kind = schema.get("type", "any")
    if kind == "any":
        return
    check = _CHECKS.get(kind)
    if check is None:
        yield f"{where}: schema has the unknown type {kind!r}"
    else:
        yield from check(schema, value, where)


def _null(_schema: Schema, value: Any, where: str) -> Iterator[str]:
    if value is not None:
        yield f"{where}: {value!r} where null is due"


def _boolean(_schema: Schema, value: Any, where: str) -> Iterator[str]:
    if type(value) is not int or value not in (0, 1):
        yield f"{where}: {value!r} is not 0 or 1"


def _integer(schema: Schema, value: Any, where: str) -> Iterator[str]:
    if type(value) is not int:
        yield f"{where}: {value!r} is no integer"
    else:
        yield from _bounds(schema, value, where)


def _number(schema: Schema, value: Any, where: str) -> Iterator[str]:
    if type(value) not in (int, float):
        yield f"{where}: {value!r} is no number"
    else:
        yield from _bounds(schema, value, where)


def _bounds(schema: Schema, value: float, where: str) -> Iterator[str]:
    if "minimum" in schema and value < float(schema["minimum"]):
        yield f"{where}: {value!r} is below {schema['minimum']}"
    if "maximum" in schema and value > float(schema["maximum"]):
        yield f"{where}: {value!r} is above {schema['maximum']}"


def _string(schema: Schema, value: Any, where: str) -> Iterator[str]:
    if not isinstance(value, str):
        yield f"{where}: {value!r} is no string"
        return
    if "enum" in schema and value not in schema["enum"]:
        yield f"{where}: {value!r} is none of {schema['enum']}"
    if "pattern" in schema and not re.fullmatch(_python_pattern(schema["pattern"]), value):
        yield f"{where}: {value!r} does not match {schema['pattern']}"
    if "maxLength" in schema and len(value) > int(schema["maxLength"]):
        yield f"{where}: {value!r} is longer than {schema['maxLength']}"


def _array(schema: Schema, value: Any, where: str) -> Iterator[str]:
    if not isinstance(value, list):
        yield f"{where}: {value!r} is no list"
        return
    for index, item in enumerate(value):
        yield from violations(schema.get("items", {}), item, f"{where}[{index}]")


def _object(schema: Schema, value: Any, where: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{where}: {value!r} is no object"
        return
    properties: dict[str, Schema] = schema.get("properties", {})
    for name, inner in properties.items():
        if name in value:
            yield from violations(inner, value[name], f"{where}.{name}")
        elif not int(inner.get("optional", 0)) and not name.endswith("[n]"):
            yield f"{where}.{name}: is missing"
    for name in value.keys() - properties.keys():
        numbered = properties.get(re.sub(r"\d+$", "[n]", name))
        if numbered:
            yield from violations(numbered, value[name], f"{where}.{name}")
        elif schema.get("additionalProperties", 1) == 0:
            yield f"{where}.{name}: is not in the schema"


def _python_pattern(perl: str) -> str:
    return perl.replace("(?^:", "(?:").replace(r"\z", r"\Z")


_CHECKS = {
    "null": _null,
    "boolean": _boolean,
    "integer": _integer,
    "number": _number,
    "string": _string,
    "array": _array,
    "object": _object,
}
