"""Where a command's JSON goes: into a file, to standard output, or to a device or pipe."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console

STDOUT = Path("-")


def console(output: Path | None, width: int | None = None) -> Console:
    """What a person reads; on standard error where standard output is for a program."""
    return Console(highlight=False, width=width, stderr=output == STDOUT)


def put(text: str, output: Path) -> None:
    """Write a text whole: a file is the new one or stays the old one. Raises ``OSError``.

    A device or pipe (``/dev/stdout``, ``/dev/null``) is written to and never replaced.
    """
    if output == STDOUT:
        click.echo(text, nl=False)
    elif output.exists() and not output.is_file():
        output.write_text(text, "utf-8")
    else:
        whole = output.resolve()
        part = whole.with_name(f"{whole.name}.part")
        part.write_text(text, "utf-8")
        part.replace(whole)
