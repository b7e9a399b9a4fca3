"""The catalogue says of each claim who checks it, or why nobody does; held to ``checks/``."""

from __future__ import annotations

import ast
import re
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CATALOGUE = ROOT / "docs/checks-catalogue.md"
DETAILS = ("checks.md", "checks-cluster.md", "boot-graph.md")
NAME = re.compile(r"`([a-z0-9_]+)`")
MARK = re.compile(r"severity='(\w+)', breaks='(\w+)'")


def checks() -> dict[str, tuple[str, str]]:
    """Severity and cost of every check of ``checks/``, by its name without ``test_``."""
    found = {}
    for path in sorted((ROOT / "checks").glob("test_*.py")):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                marks = " ".join(ast.unparse(mark) for mark in node.decorator_list)
                said = MARK.search(marks)
                assert said is not None, node.name
                found[node.name.removeprefix("test_")] = (said[1], said[2])
    return found


def rows(text: str) -> list[list[str]]:
    """Cells of every row of its tables, heads left out."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    ruled = {number - 1 for number, line in enumerate(lines) if set(line) <= set("|-")}
    return [
        row for number, row in enumerate(cells) if number not in ruled and set("".join(row)) - {"-"}
    ]


def unheld(text: str, known: set[str]) -> list[str]:
    """What a catalogue lacks or says too much."""
    wrong, named = [], set()
    for claim, by, *why in rows(text):
        names = NAME.findall(by)
        named |= {*names}
        wrong += [f"{claim}: {name} is no check" for name in names if name not in known]
        if not names and not "".join(why):
            wrong.append(f"{claim}: neither a check nor a reason")
        if "".join(names) != re.sub(r"[`, ]", "", by):
            wrong.append(f"{claim}: more than names of checks: {by}")
    return wrong + [f"{name} is in no row" for name in sorted(known - named)]


def test_the_catalogue_names_every_check_and_nothing_else() -> None:
    assert unheld(CATALOGUE.read_text(), {*checks()}) == []


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("| a claim | `no_such` | |", "a claim: no_such is no check"),
        ("| a claim | | |", "a claim: neither a check nor a reason"),
        ("| a claim | partly `one` | |", "a claim: more than names of checks: partly `one`"),
        ("| a claim | | because |", "one is in no row"),
    ],
)
def test_a_catalogue_that_does_not_hold_is_seen(row: str, told: str) -> None:
    head = "| claim | checked by | why not |\n|---|---|---|\n"
    assert told in unheld(head + row, {"one"})


def test_no_claim_is_there_twice() -> None:
    claims = Counter(row[0] for row in rows(CATALOGUE.read_text()))
    assert [claim for claim, count in claims.items() if count > 1] == []


@pytest.mark.parametrize("name", DETAILS)
def test_what_a_document_says_of_a_check_is_what_its_mark_says(name: str) -> None:
    known, told = checks(), rows((ROOT / "docs" / name).read_text())
    for first, *rest in told:
        found = NAME.match(first)
        if found is None or found[1] not in known:
            continue
        severity = next(cell for cell in rest if cell.startswith(("critical", "warning")))
        assert severity.partition(",")[0] == known[found[1]][0], found[1]
