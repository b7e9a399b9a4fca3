"""Where a command's JSON goes: into a file, to standard output, or to a device or pipe."""

from __future__ import annotations

from pathlib import Path
from stat import S_IMODE

import click
from rich.console import Console

STDOUT = Path("-")
_STDOUTS = frozenset({STDOUT, *map(Path, ("/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"))})
"""Its other names lead to a file where it is redirected, and that file is not ours to replace."""


def console(output: Path | None, width: int | None = None) -> Console:
    """What a person reads; on standard error where standard output is for a program."""
    return Console(highlight=False, width=width, stderr=output in _STDOUTS)


def put(text: str, output: Path) -> None:
    """Write a text whole: a file is the new one or stays the old one. Raises ``OSError``.

    Who may read it stays. A device or pipe (``/dev/stdout``, ``/dev/null``) is written to and never
    replaced.
    """
    if output in _STDOUTS:
        click.echo(text, nl=False)
    elif output.exists() and not output.is_file():
        output.write_text(text, "utf-8")
    else:
        whole = output.resolve()
        part = whole.with_name(f"{whole.name}.part")
        try:
            part.touch()
            if whole.exists():
                part.chmod(S_IMODE(whole.stat().st_mode))
            part.write_text(text, "utf-8")
            part.replace(whole)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
