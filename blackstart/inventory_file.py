"""Loading an inventory: every problem in one go, each with its line and its remedy.

A person who mends one mistake a run loses the evening; so the YAML layer, the model and
the rules across its parts all report, and only a text that is no YAML at all stops early.
"""

from __future__ import annotations

import json
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from pydantic import ValidationError

from blackstart.errors import InventoryError
from blackstart.inventory_wording import wording
from blackstart.model import consents, contradictions, references, tolerances
from blackstart.model.document import Problem
from blackstart.model.inventory import Inventory
from blackstart.yaml_document import read_yaml
from blackstart.yaml_nodes import LineProblem, NotReadable, YamlDocument

MAX_BYTES = 1 << 18
"""Nobody writes so much by hand; a device or a log given by mistake ends here."""

_NO_KEYS = frozenset({"[key]", "[access]", "[none]"})
"""Steps of pydantic's paths that no file has: of a key itself, of one way to write a value."""

EXAMPLE = "inventory/example-homelab.yaml shows one"


def load(path: Path) -> Inventory:
    """The inventory in a file. Raises ``InventoryError``, as ``parse`` does."""
    try:
        text = _read(path)
    except NotReadable as error:
        raise _refusal(str(path), [error.problem]) from None
    return parse(text, str(path))


def parse(text: str, name: str) -> Inventory:
    """The inventory in a text; ``name`` is the file's in messages.

    Raises ``InventoryError`` with one line ``FILE:LINE: what is wrong; remedy`` for each
    problem; what concerns the whole file stands at line 1.
    """
    try:
        document = read_yaml(text)
        data = document.data
        if data is None:
            raise NotReadable(1, f"the file is empty; write an inventory, {EXAMPLE}")
        if not isinstance(data, dict):
            raise NotReadable(1, f"this is no mapping; begin with `site: NAME`, {EXAMPLE}")
    except NotReadable as error:
        raise _refusal(name, [error.problem]) from None
    found = list(document.problems.values())
    found += (_at_line(document, problem) for problem in _across(data))
    # Strict JSON mode takes no number for an address and no text for a number, and
    # still reads dates, addresses and lists as a file writes them.
    try:
        inventory = Inventory.model_validate_json(json.dumps(data), strict=True)
    except ValidationError as error:
        found += _of_model(document, error)
        raise _refusal(name, found) from None
    if found:
        raise _refusal(name, found)
    return inventory


def _across(data: dict[str, object]) -> Iterator[Problem]:
    for part in (references, contradictions, consents, tolerances):
        for rule in part.RULES:
            yield from rule(data)


def _at_line(document: YamlDocument, problem: Problem) -> LineProblem:
    also = f" (line {document.line_of(problem.also)})" if problem.also is not None else ""
    return LineProblem(document.line_of(problem.path), f"{problem.what}{also}; {problem.remedy}")


def _of_model(document: YamlDocument, error: ValidationError) -> Iterator[LineProblem]:
    for detail in error.errors(include_url=False):
        path = tuple(step for step in detail["loc"] if step not in _NO_KEYS)
        if path not in document.problems:
            yield LineProblem(document.line_of(path), wording(detail, path))


def _refusal(name: str, found: Iterable[LineProblem]) -> InventoryError:
    ordered = sorted(set(found), key=lambda problem: (problem.line, problem.text))
    return InventoryError(
        [_one_line(f"{name}:{problem.line}: {problem.text}") for problem in ordered]
    )


def _one_line(text: str) -> str:
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


def _read(path: Path) -> str:
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise NotReadable(1, f"this is a directory; name an inventory file, {EXAMPLE}")
        if not stat.S_ISREG(mode):
            raise NotReadable(1, f"this is no regular file; name an inventory file, {EXAMPLE}")
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise NotReadable(1, f"there is no such file; name an inventory, {EXAMPLE}") from None
    except OSError as error:
        text = f"it cannot be read ({error.strerror}); check path and permissions"
        raise NotReadable(1, text) from None
    if len(content) > MAX_BYTES:
        raise NotReadable(1, f"larger than {MAX_BYTES} bytes; name an inventory, {EXAMPLE}")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        text = f"byte {error.start} is no UTF-8; save the file as UTF-8"
        raise NotReadable(line, text) from None
