"""``blackstart addresses``: who says what of every guest's address. Changes nothing."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from blackstart.cli_options import INVENTORY, JSON_AS_WELL
from blackstart.cli_output import console, put
from blackstart.evidence.addresses import WIDE, document, show
from blackstart.inventory_file import load
from blackstart.model.address_findings import findings
from blackstart.model.address_site import address_book
from blackstart.rack import enter
from blackstart.wiring import connect


@click.command()
@INVENTORY
@JSON_AS_WELL
def addresses(inventory_file: str, output: Path | None) -> None:
    """Compare what is declared, reserved, leased, configured, seen, in DNS, in certificates.

    Looks and changes nothing. Exit code 0: all agree and no guest would move at the next
    start of the DHCP server; 1: something is wrong; 2: the inventory is; 3: something could
    not be read.
    """
    inventory = load(Path(inventory_file))
    if inventory.rack is not None:
        enter.ensure_inside([sys.executable, "-m", "blackstart", *sys.argv[1:]])
    home = enter.rack_home() if inventory.rack is not None else None
    with connect(inventory, rack_secrets=home / "secrets" if home else None) as site:
        facts = site.facts()
    book = address_book(inventory, facts)
    judged = findings(book)
    # FORCE_COLOR makes a terminal of everything for rich; it makes no pipe narrow.
    width = None if sys.stdout.isatty() else WIDE
    show(console(output, width), book, judged)
    if output is not None:
        text = json.dumps({"taken_at": facts.taken_at, **document(book, judged)}, indent=2)
        put(f"{text}\n", output)
    sys.exit(judged.verdict.exit_code)
