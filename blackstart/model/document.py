"""An inventory as written: plain mappings and lists, and what is wrong at a place in them.

Rules over the document as written, and not over the validated model, find a dangling
reference in one place even when an address is wrong in another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

MOST_NAMED = 12
"""Words listed to a person who may have meant one of them."""

Path = tuple[str | int, ...]
Document = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong at ``path``, and the remedy. ``also`` is the other place concerned."""

    path: Path
    what: str
    remedy: str
    also: Path | None = None


Rule = Callable[[Document], Iterator[Problem]]


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """``did you mean 'x'?`` for the nearest known word, else which words there are."""
    words = list(known)
    near = get_close_matches(word, words, n=1)
    if near:
        return f"did you mean '{near[0]}'?"
    if not words:
        return "declare it first"
    more = ", ..." if len(words) > MOST_NAMED else ""
    return f"write one of {', '.join(words[:MOST_NAMED])}{more}"


def section(document: object, *keys: str) -> Document:
    """The mapping below ``keys``, empty when there is none or it is something else."""
    found = document
    for key in keys:
        found = found.get(key) if isinstance(found, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def entries(document: object, *keys: str) -> Iterator[tuple[str, Document]]:
    """Name and body of every entry below ``keys`` that is a mapping."""
    for name, body in section(document, *keys).items():
        if isinstance(body, Mapping):
            yield name, body


def text(body: Document, key: str) -> str | None:
    """The value of ``key`` when it is text."""
    value = body.get(key)
    return value if isinstance(value, str) else None
