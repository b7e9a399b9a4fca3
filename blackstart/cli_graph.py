"""``blackstart graph``: what waits for what after a cold start. Changes nothing."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from blackstart.boot_look import look
from blackstart.cli_options import INVENTORY, drills_option, json_option
from blackstart.cli_output import console, put
from blackstart.evidence.boot_outlook import document, show
from blackstart.evidence.boot_picture import draw
from blackstart.evidence.earlier import comebacks_of
from blackstart.graph.build import boot_graph
from blackstart.graph.outlook import outlook
from blackstart.inventory_file import load
from blackstart.rack import enter
from blackstart.wiring import connect


@click.command()
@INVENTORY
@click.option(
    "--svg", type=click.Path(path_type=Path, dir_okay=False), help="Draw it into this file."
)
@json_option("Write all of it into this file as JSON.")
@click.option("--all", "everything", is_flag=True, help="Show all, not the first five of a kind.")
@drills_option("Earlier drills: they know how long everything takes.")
def graph(
    inventory_file: str, svg: Path | None, output: Path | None, everything: bool, drills: Path
) -> None:
    """What waits for what after a cold start: power, machines, mounts, guests, names.

    Shows what waits for itself and never starts, the order of starts, what comes last, what
    takes down what. Looks and changes nothing.

    \b
      blackstart graph --svg boot.svg

    Exit code 0: everything starts; 1: something would not; 2: the inventory is not right;
    3: something could not be read.
    """
    inventory = load(Path(inventory_file))
    if inventory.rack is not None:
        enter.ensure_inside([sys.executable, "-m", "blackstart", *sys.argv[1:]])
    home = enter.rack_home() if inventory.rack is not None else None
    with connect(inventory, rack_secrets=home / "secrets" if home else None) as site:
        given = look(site)
    measured = [(item.drill, item.back_s) for item in comebacks_of(inventory.site, drills)]
    told = outlook(boot_graph(given), inventory, measured)
    show(console(output), told, everything=everything)
    if svg is not None:
        draw(told, svg)
    if output is not None:
        text = json.dumps({"taken_at": given.facts.taken_at, **document(told)}, indent=2) + "\n"
        put(text, output)
    sys.exit(told.verdict.exit_code)
