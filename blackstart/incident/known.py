"""What incidents may name: the checks, scenarios, promises, guards, hosts, targets there are."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from blackstart.invariants import everything_well, nobody_killed, others_resolve
from blackstart.model.act import parse_act
from blackstart.model.inventory import Inventory
from blackstart.model.redundancy import groups
from blackstart.safety.guard import NEVER_WAIVED, names

OF_EVERY_DRILL = ("reverted", "never-down", "stop-condition")
"""What a drill itself says, beside its promises (``blackstart/phases.py``, ``judging.py``)."""
CLUSTER = "k3s"
"""The target of what is said of all k3s nodes together."""


@dataclass(frozen=True)
class Known:
    """Names that exist; whatever an incident names beside them has been renamed or never was."""

    checks: frozenset[str]
    scenarios: frozenset[str]
    promises: frozenset[str]
    guards: frozenset[str]
    hosts: frozenset[str]
    targets: frozenset[str]
    inventory: Inventory

    @classmethod
    def of(cls, checks: Path, scenarios: Path, inventory: Inventory) -> Known:
        """What two directories of tests and a site's inventory know."""
        promised = (*everything_well(inventory), nobody_killed(), others_resolve())
        return cls(
            checks=frozenset(name for _, name in _tests(checks)),
            scenarios=frozenset(f"{file}::test_{name}" for file, name in _tests(scenarios)),
            promises=frozenset((*(item.name for item in promised), *OF_EVERY_DRILL)),
            guards=frozenset(names()) - NEVER_WAIVED,
            hosts=frozenset((*inventory.nodes, *inventory.guests)),
            targets=frozenset(_targets(inventory)),
            inventory=inventory,
        )

    def act(self, text: str) -> str | None:
        """Why this is no act on the site; ``None`` when it is one."""
        try:
            parse_act(text, self.inventory)
        except ValueError as error:
            return str(error)
        return None


def _tests(directory: Path) -> Iterator[tuple[str, str]]:
    """File and name (without ``test_``) of every test below, read and not run."""
    for path in sorted(directory.glob("test_*.py")):
        for node in ast.parse(path.read_text("utf-8")).body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                yield path.name, node.name.removeprefix("test_")


def _targets(inventory: Inventory) -> Iterator[str]:
    yield inventory.site
    for part in (
        *(inventory.nodes, inventory.guests, inventory.mounts, inventory.services),
        *(inventory.compose, inventory.dhcp, inventory.certificates),
    ):
        yield from part
    yield from inventory.dns.servers if inventory.dns else ()
    yield from groups(inventory)
    yield from inventory.never_down
    if inventory.k3s is not None:
        yield CLUSTER
