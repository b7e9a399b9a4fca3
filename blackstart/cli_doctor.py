"""``blackstart doctor``: is all that an inventory names reached, and what is missing?"""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path

import click

from blackstart.cli_options import INVENTORY, JSON_AS_WELL
from blackstart.cli_output import console, put
from blackstart.doctor.rounds import examine
from blackstart.evidence.reach import document, show
from blackstart.inventory_file import load
from blackstart.model.reach import verdict_of
from blackstart.rack import enter
from blackstart.wiring import contact


@click.command()
@INVENTORY
@JSON_AS_WELL
def doctor(inventory_file: str, output: Path | None) -> None:
    """Ask every host and API once whether it lets us in and shows what facts need.

    Looks, changes nothing, accepts no unknown key or certificate, and ends within about a
    minute whoever hangs. What is missing is told with the command that grants it. Exit code
    0: all reached; 1: something refuses or is wrong; 2: the inventory or the command line is;
    3: something does not answer.
    """
    inventory = load(Path(inventory_file))
    if inventory.rack is not None:
        enter.ensure_inside([sys.executable, "-m", "blackstart", *sys.argv[1:]])
    home = enter.rack_home() if inventory.rack is not None else None
    taken_at = datetime.now(UTC).isoformat(timespec="seconds")
    with contact(inventory, rack_secrets=home / "secrets" if home else None) as contacts:
        things = examine(contacts)
    show(console(output), inventory.site, things)
    if output is not None:
        text = json.dumps(document(inventory.site, taken_at, things), indent=2)
        put(f"{text}\n", output)
    sys.exit(verdict_of(things).exit_code)
