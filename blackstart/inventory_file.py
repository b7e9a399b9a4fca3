"""Loading an inventory: every problem in one go, each with its line and its remedy.

A person who mends one mistake a run loses the evening; so the YAML layer, the model and
the rules across its parts all report, and only a text that is no YAML at all stops early.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from blackstart.errors import InventoryError
from blackstart.model import contradictions, references
from blackstart.model.document import Problem
from blackstart.model.inventory import Inventory
from blackstart.yaml_document import read_yaml
from blackstart.yaml_file import at_line, text_of, told, understood
from blackstart.yaml_nodes import NotReadable

EXAMPLE = "inventory/example-homelab.yaml shows one"


def load(path: Path) -> Inventory:
    """The inventory in a file. Raises ``InventoryError``, as ``parse`` does."""
    try:
        text = text_of(path, f"name an inventory, {EXAMPLE}")
    except NotReadable as error:
        raise InventoryError(told(str(path), [error.problem])) from None
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
        raise InventoryError(told(name, [error.problem])) from None
    inventory, found = understood(document, Inventory)
    found += (at_line(document, problem) for problem in _across(data))
    if inventory is None or found:
        raise InventoryError(told(name, found))
    return inventory


def _across(data: dict[str, object]) -> Iterator[Problem]:
    for rule in (*references.RULES, *contradictions.RULES):
        yield from rule(data)
