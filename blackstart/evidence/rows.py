"""The order of a picture's rows: host, the guests on it, what they serve; then the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from blackstart.model.samples import Series
from blackstart.model.subjects import Subject


@dataclass(frozen=True, slots=True)
class Row:
    """One probe's row. ``depth`` is 0 for a host, 1 for its guests, 2 for their services."""

    label: str
    depth: int
    series: Series


def in_order(found: Sequence[Series], subjects: Sequence[Subject]) -> tuple[Row, ...]:
    """Rows by what carries what; a subject nobody declared comes last."""
    children: dict[str | None, list[str]] = {}
    declared = {subject.name for subject in subjects}
    for subject in subjects:
        carrier = subject.under if subject.under in declared else None
        children.setdefault(carrier, []).append(subject.name)
    ordered: list[tuple[str, int]] = []

    def descend(carrier: str | None, depth: int) -> None:
        for name in children.get(carrier, []):
            ordered.append((name, depth))
            descend(name, depth + 1)

    descend(None, 0)
    undeclared = sorted({series.subject for series in found} - declared)
    ordered += [(name, 0) for name in undeclared]
    return tuple(
        Row(_label(series), depth, series)
        for name, depth in ordered
        for series in found
        if series.subject == name
    )


def _label(series: Series) -> str:
    name = series.subject.partition("/")[2] or series.subject
    return f"{name}  {series.kind}"
