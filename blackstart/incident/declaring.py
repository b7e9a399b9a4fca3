"""A copy of an inventory that says some things otherwise: shorter budgets, a guest meant off."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from blackstart.errors import UsageError


def declaring(inventory: Path, values: Mapping[str, str | bool], directory: Path) -> Path:
    """The inventory itself, or its copy in ``directory`` with values by path.

    A path is like ``guests/k3s1/budget``. Raises ``UsageError`` for one that leads nowhere.
    """
    if not values:
        return inventory
    yaml = YAML()
    document = yaml.load(inventory.read_text("utf-8"))
    for path, value in values.items():
        *parents, last = path.split("/")
        part: Any = document
        for step in parents:
            part = part.get(step) if isinstance(part, Mapping) else None
        if not isinstance(part, dict):
            raise UsageError(f"{inventory}: there is no {'/'.join(parents)} to declare {last} of")
        part[last] = value
    directory.mkdir(parents=True, exist_ok=True)
    copy = directory / inventory.name
    with copy.open("w", encoding="utf-8") as file:
        yaml.dump(document, file)
    return copy
