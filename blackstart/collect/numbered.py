"""Files of a host as the boot script sends them: each line with its number, each file named."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

_ROW = re.compile(r"^([1-9]\d*):(.*)$", re.DOTALL)
Rows = tuple[tuple[int, str], ...]
"""Numbers, from 1, and lines; a carriage return that a line ends with is still there."""


class NotWhole(ValueError):
    """A file came over in part only, or not as it was sent."""


def read_files(lines: Sequence[str]) -> Mapping[str, Rows]:
    """The files in ``file NAME`` and ``NUMBER:LINE|`` lines. Raises ``NotWhole``.

    A mark ends each line, because a reader of the whole stream takes a carriage return (or
    any other end of line that Unicode knows) for the end of one.
    """
    found: dict[str, list[tuple[int, str]]] = {}
    name, open_row = "", ""
    for line in lines:
        if not open_row and line.startswith("file "):
            name = line.removeprefix("file ")
            found[name] = []
            continue
        if not open_row and line.startswith("cut: "):
            raise NotWhole(f"{name}: {line.removeprefix('cut: ')}")
        whole = f"{open_row}\r{line}" if open_row else line
        match = _ROW.match(whole)
        if match is None or name not in found:
            raise NotWhole(f"{name or 'the first line'}: {whole[:80]!r}")
        if not whole.endswith("|"):
            open_row = whole
            continue
        open_row = ""
        found[name].append((int(match[1]), match[2][:-1]))
    if open_row:
        raise NotWhole(f"{name}: ends in the middle")
    for path, rows in found.items():
        if [number for number, _ in rows] != list(range(1, len(rows) + 1)):
            raise NotWhole(f"{path}: lines are missing")
    return {path: tuple(rows) for path, rows in found.items()}
