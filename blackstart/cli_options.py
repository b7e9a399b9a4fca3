"""Options that several commands have in common."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])


def inventory_option(about: str) -> Callable[[Command], Command]:
    """Which inventory file a command is about, and what that is to it."""
    return click.option(
        "--inventory",
        "inventory_file",
        default="inventory/rack.yaml",
        show_default=True,
        help=about,
    )


def json_option(about: str) -> Callable[[Command], Command]:
    """A file for programs, beside what a person is shown; ``output`` of the command."""
    return click.option(
        "--json",
        "output",
        type=click.Path(path_type=Path, dir_okay=False),
        help=f"{about.removesuffix('.')}; - is standard output.",
    )


def drills_option(about: str) -> Callable[[Command], Command]:
    """Where drills keep their evidence, and what that is to the command."""
    return click.option(
        "--drills",
        type=click.Path(path_type=Path, file_okay=False),
        default="reports/drills",
        show_default=True,
        help=about,
    )


INVENTORY = inventory_option("The site.")
JSON_AS_WELL = json_option("Write it as one JSON object into this file as well.")
JSON_PRINTED = click.option(
    "--json", "as_json", is_flag=True, help="Print it as JSON on standard output."
)
