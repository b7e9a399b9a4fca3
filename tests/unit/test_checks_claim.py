"""Every check says what it costs, and its docstring is its claim."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

CHECKS = Path(__file__).parents[2] / "checks"
FUNCTIONS = [
    pytest.param(node, id=f"{path.stem}::{node.name}")
    for path in sorted(CHECKS.glob("test_*.py"))
    for node in ast.parse(path.read_text()).body
    if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
]


@pytest.mark.parametrize("check", FUNCTIONS)
def test_a_check_says_what_it_costs_and_what_it_claims(check: ast.FunctionDef) -> None:
    marks = [ast.unparse(mark) for mark in check.decorator_list]
    assert any(
        "mark.claim(" in mark and "severity=" in mark and "breaks=" in mark for mark in marks
    )
    assert ast.get_docstring(check)
