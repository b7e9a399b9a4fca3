"""Imports run one way: model <- drivers <- faults, invariants, safety <- drill <- the rest."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2] / "blackstart"

# What each part may import of ours, besides itself. Parts are folders or single modules.
MAY_IMPORT: dict[str, set[str]] = {
    "redaction": set(),
    "errors": {"redaction"},
    "model": set(),
    "secrets": {"errors", "redaction"},
    "yaml_nodes": {"model"},
    "yaml_document": {"yaml_nodes"},
    "inventory_wording": {"model", "yaml_nodes"},
    "yaml_file": {"model", "inventory_wording", "yaml_nodes"},
    "inventory_file": {"errors", "model", "yaml_document", "yaml_file", "yaml_nodes"},
    "incident": {
        *{"errors", "model", "yaml_document", "yaml_file", "yaml_nodes"},
        *{"invariants", "safety", "signals"},
    },
    "drivers": {"errors", "model", "redaction"},
    "collect": {"errors", "model", "drivers"},
    "probes": {"errors", "model", "drivers"},
    "faults": {"errors", "model", "drivers"},
    "invariants": {"errors", "model"},
    "signals": set(),
    "terms": set(),
    "safety": {"errors", "model", "drivers", "faults", "terms"},
    "leash": {"errors", "model", "drivers"},
    "recovery": {"errors", "model", "drivers"},
    "unwinding": {"errors", "drivers", "faults", "safety"},
    "drill_log": {"model", "safety", "terms"},
    "lease_trials": {"model", "drivers", "drill_log"},
    "admission": {
        *{"errors", "model", "drivers", "faults", "safety", "recovery", "terms", "drill_log"},
        "lease_trials",
    },
    "following": {"errors", "model", "drivers", "faults", "safety", "drill_log", "unwinding"},
    "judging": {"model", "drivers", "invariants", "drill_log"},
    "phases": {
        *{"model", "drivers", "faults", "invariants", "safety", "recovery", "terms"},
        *{"admission", "drill_log", "following", "judging", "lease_trials", "leash"},
        "unwinding",
    },
    "drill": {
        *{"errors", "model", "drivers", "faults", "invariants", "safety", "phases"},
        *{"terms", "drill_log"},
    },
    "recovering": {"errors", "model", "drivers", "faults", "safety", "unwinding"},
    "cli_options": set(),
    "cli_output": set(),
    "checking": {"errors", "model"},
    "checking_graph": {"errors", "model"},
    "checking_guests": {"errors", "model", "checking"},
    "graph": {"model"},
    "looking": {"errors", "drivers"},
    "boot_look": {"errors", "drivers", "graph", "looking"},
    "evidence": {"errors", "model", "safety", "graph", "incident"},
    "observers": {"errors", "model", "drivers", "terms", "evidence"},
    "wiring": {
        *{"errors", "model", "secrets", "drivers", "collect", "probes", "safety", "doctor"},
    },
    "discover": {"errors", "model"},
    "doctor": {"errors", "model", "drivers", "collect"},
    "rack": {"errors", "model"},
}
ABOVE_ALL = {
    "plugin",
    "pytest_outcome",
    "cli",
    "cli_addresses",
    "cli_discover",
    "cli_doctor",
    "cli_drill",
    "cli_graph",
    "cli_incidents",
    "cli_inventory",
    "cli_recover",
    "cli_report",
    "cli_verify",
    "pytest_checks",
    "pytest_facts",
}
ABOVE_ALL |= {"pytest_boot_graph", "pytest_signals", "pytest_targets", "__init__", "__main__"}


def part_of(module: str) -> str:
    return module.split(".")[1] if module.count(".") else "__init__"


def imports(path: Path) -> set[str]:
    package = ["blackstart", *path.relative_to(ROOT).parts[:-1]]
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level:
            base = package[: len(package) - node.level + 1]
            found.add(".".join([*base, node.module] if node.module else base))
        elif isinstance(node, ast.ImportFrom) and node.module == "blackstart":
            found |= {f"blackstart.{name.name}" for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
    return {part_of(name) for name in found if name.startswith("blackstart.")}


FILES = sorted(ROOT.rglob("*.py"))


@pytest.mark.parametrize("path", FILES, ids=[str(path.relative_to(ROOT)) for path in FILES])
def test_a_part_imports_only_what_is_below_it(path: Path) -> None:
    part = path.relative_to(ROOT).parts[0].removesuffix(".py")
    if part in ABOVE_ALL:
        return
    assert part in MAY_IMPORT, f"{part} has no place in the order yet; give it one here"
    wrong = imports(path) - MAY_IMPORT[part] - {part}
    assert not wrong, f"{path.relative_to(ROOT)} must not import {sorted(wrong)}"


def test_an_import_the_wrong_way_would_be_seen() -> None:
    assert "rack" in imports(ROOT / "plugin.py")
    assert "rack" not in MAY_IMPORT["model"] | MAY_IMPORT["drill"] | MAY_IMPORT["evidence"]


def test_no_file_is_too_long() -> None:
    long = {
        str(path): count for path in FILES if (count := len(path.read_text().split("\n"))) > 400
    }
    assert not long
