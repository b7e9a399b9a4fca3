"""The address book for a person: the decision, the table, then each finding with its fix.

A line a guest and a line a finding, so that ``grep`` finds them; legible without colour.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from blackstart.model.address_book import COLUMNS, Book, Cell, Row
from blackstart.model.address_findings import Judged
from blackstart.model.verdict import Verdict

SAME, NOTHING, UNKNOWN, WRONG = "same", "-", "?", "!"
LEGEND = f"{SAME}: as declared   {WRONG} other   {UNKNOWN} not known   {NOTHING} none"
WIDE = 220
"""Columns of text where nobody looks (a file, a pipe): nothing is folded there."""

_STYLES = {Verdict.PASS: "bold green", Verdict.FAIL: "bold red", Verdict.UNPROVEN: "bold yellow"}
# Of these who says it matters as much as what is said.
_NAMED = ("reserved", "host entry")


def document(book: Book, judged: Judged) -> Mapping[str, Any]:
    """All of it as plain data: site, verdict, rows with sources, findings, gaps, accepted ones."""
    return {
        "site": book.site,
        "verdict": judged.verdict.value,
        "rows": [row.model_dump(mode="json") for row in book.rows],
        "findings": [item.model_dump(mode="json") for item in judged.findings],
        "gaps": [item.model_dump(mode="json") for item in judged.gaps],
        "accepted": [item.model_dump(mode="json") for item in judged.waived],
    }


def show(console: Console, book: Book, judged: Judged) -> None:
    """Print it."""
    counted = f"{len(judged.findings)} wrong, {len(judged.gaps)} not known"
    counted += f", {len(judged.waived)} accepted" if judged.waived else ""
    headline = Text(judged.verdict.upper(), style=_STYLES[judged.verdict])
    console.print(Text.assemble(headline, f"  addresses of {book.site}: {counted}"))
    console.print(table(book))
    console.print(LEGEND)
    for item in judged.findings:
        console.print(Text(f"{item.kind}: {item.text}"), soft_wrap=True)
        if item.fix:
            console.print(Text(f"    fix: {item.fix}"), soft_wrap=True)
    for waived in judged.waived:
        console.print(Text(f"accepted ({waived.kind}): {waived}"), soft_wrap=True)
    for gap in judged.gaps:
        console.print(Text(f"not known ({gap.kind}): {gap.text}"), soft_wrap=True)


def table(book: Book) -> Table:
    """One row a guest, one column a source."""
    found = Table(box=None, pad_edge=False)
    for name in ("guest", "declared", *COLUMNS):
        found.add_column(name, overflow="fold")
    for row in book.rows:
        found.add_row(row.guest, row.declared, *_columns(row))
    return found


def _columns(row: Row) -> Iterator[Text]:
    for column in COLUMNS:
        cells = row.of(column)
        words = dict.fromkeys(_word(cell) for cell in cells)
        wrong = any(cell.agrees is False for cell in cells)
        style = "red" if wrong else "yellow" if UNKNOWN in words else ""
        yield Text(", ".join(words) or NOTHING, style=style)


def _word(cell: Cell) -> str:
    if cell.error is not None:
        return UNKNOWN
    says = "/".join(cell.says) or "none"
    note = f" ({cell.note})" if cell.note and cell.column in _NAMED else ""
    if cell.agrees is False:
        return f"{WRONG} {says}{note}"
    if cell.agrees is None:
        return f"{says} {cell.note}".strip()
    return f"{SAME}{note}"
