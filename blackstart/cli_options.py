"""Options that several commands have in common."""

from __future__ import annotations

import click

INVENTORY = click.option(
    "--inventory",
    "inventory_file",
    default="inventory/rack.yaml",
    show_default=True,
    help="The site.",
)
"""Which inventory file a command is about."""
