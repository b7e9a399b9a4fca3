"""Options that several commands have in common."""

from __future__ import annotations

from collections.abc import Callable
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


INVENTORY = inventory_option("The site.")
