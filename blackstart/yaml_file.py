"""A file that a person writes: its text within bounds, and every problem with its line."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from blackstart.inventory_wording import wording
from blackstart.model.document import Problem
from blackstart.yaml_nodes import LineProblem, NotReadable, YamlDocument

MAX_BYTES = 1 << 18
"""Nobody writes so much by hand; a device or a log given by mistake ends here."""

_NO_KEYS = frozenset({"[key]", "[access]", "[none]"})
"""Steps of pydantic's paths that no file has: of a key itself, of one way to write a value."""

M = TypeVar("M", bound=BaseModel)


def text_of(path: Path, remedy: str) -> str:
    """The text of a regular file. Raises ``NotReadable``; ``remedy`` says what to name instead."""
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise NotReadable(1, f"this is a directory; {remedy}")
        if not stat.S_ISREG(mode):
            raise NotReadable(1, f"this is no regular file; {remedy}")
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise NotReadable(1, f"there is no such file; {remedy}") from None
    except OSError as error:
        text = f"it cannot be read ({error.strerror}); check path and permissions"
        raise NotReadable(1, text) from None
    if len(content) > MAX_BYTES:
        raise NotReadable(1, f"larger than {MAX_BYTES} bytes; {remedy}")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        text = f"byte {error.start} is no UTF-8; save the file as UTF-8"
        raise NotReadable(line, text) from None


def understood(document: YamlDocument, model: type[M]) -> tuple[M | None, list[LineProblem]]:
    """The document as its model, and what is wrong with it; ``None`` when it is no such thing.

    Strict JSON mode takes no number for an address and no text for a number, and still reads
    dates, addresses and lists as a file writes them.
    """
    found = list(document.problems.values())
    try:
        return model.model_validate_json(json.dumps(document.data), strict=True), found
    except ValidationError as error:
        return None, [*found, *_of_model(document, error, model)]


def at_line(document: YamlDocument, problem: Problem) -> LineProblem:
    """A problem at a place of the document, with the lines of it and of what it is about."""
    also = f" (line {document.line_of(problem.also)})" if problem.also is not None else ""
    return LineProblem(document.line_of(problem.path), f"{problem.what}{also}; {problem.remedy}")


def told(name: str, found: Iterable[LineProblem]) -> list[str]:
    """``FILE:LINE: what is wrong; remedy``, one line a problem, in the file's order."""
    ordered = sorted(set(found), key=lambda problem: (problem.line, problem.text))
    return [_one_line(f"{name}:{problem.line}: {problem.text}") for problem in ordered]


def _of_model(
    document: YamlDocument, error: ValidationError, model: type[BaseModel]
) -> Iterator[LineProblem]:
    for detail in error.errors(include_url=False):
        path = tuple(step for step in detail["loc"] if step not in _NO_KEYS)
        if path not in document.problems:
            yield LineProblem(document.line_of(path), wording(detail, path, model))


def _one_line(text: str) -> str:
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())
