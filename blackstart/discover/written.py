"""Data as lines of YAML, and texts of others as lines of comments."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Mapping
from typing import Any

from ruamel.yaml import YAML

MOST = 160
WIDEST = 4096


def dumped(data: Mapping[str, Any], indent: int = 0) -> str:
    """A mapping as YAML, each of its texts so that it is read as text again."""
    yaml = YAML()
    yaml.width = WIDEST  # no text is folded
    out = io.StringIO()
    yaml.dump(dict(data), out)
    return textwrap.indent(out.getvalue().rstrip("\n"), " " * indent)


def one_line(text: str) -> str:
    """A text as it may stand in a comment: one line, printable, not too long."""
    words = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return words if len(words) <= MOST else f"{words[:MOST]}..."
