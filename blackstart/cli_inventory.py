"""``blackstart inventory``: look at an inventory without touching the site."""

from __future__ import annotations

import json
from pathlib import Path

import click

from blackstart.errors import InventoryError
from blackstart.inventory_file import load
from blackstart.model.inventory import Inventory

Counts = dict[str, int]


@click.group()
def inventory() -> None:
    """The file in which an owner declares a site."""


@inventory.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on standard output.")
def check(file: Path, as_json: bool) -> None:
    """Read FILE and say everything that is wrong with it. Touches nothing else.

    Exit code 0 when it is right, 2 when it is not.
    """
    try:
        site = load(file)
    except InventoryError as error:
        if as_json:
            click.echo(json.dumps({"ok": False, "file": str(file), "problems": error.problems}))
        for problem in error.problems:
            click.echo(problem, err=True)
        raise SystemExit(error.exit_code) from None
    if as_json:
        breakable = {name: _consents(site, name) for name in (*site.nodes, *site.guests)}
        document = {
            "ok": True,
            "file": str(file),
            "site": site.site,
            "counts": counts(site),
            "may_break": breakable,
        }
        click.echo(json.dumps(document))
    else:
        click.echo(f"{file}: {summary(site)}")


def counts(site: Inventory) -> Counts:
    """How many of each are declared."""
    return {
        "nodes": len(site.nodes),
        "guests": len(site.guests),
        "name servers": len(site.dns.servers) if site.dns else 0,
        "names": len(site.dns.names) if site.dns else 0,
        "compose projects": len(site.compose),
        "services": len(site.services),
        "certificates": len(site.certificates),
    }


def summary(site: Inventory) -> str:
    """One line: the site, what is declared, and what may be broken."""
    declared = ", ".join(_counted(number, noun) for noun, number in counts(site).items() if number)
    willing = [
        f"{name} ({', '.join(f'{fault} until {day}' for fault, day in consents.items())})"
        for name in (*site.nodes, *site.guests)
        if (consents := _consents(site, name))
    ]
    broken = f"may be broken: {', '.join(willing)}" if willing else "nothing may be broken"
    return f"site {site.site}: {declared}; {broken}"


def _consents(site: Inventory, target: str) -> dict[str, str]:
    given = site.may_break(target)
    return {fault: consent.until.isoformat() for fault, consent in given.items()}


def _counted(number: int, plural: str) -> str:
    return f"{number} {plural.removesuffix('s') if number == 1 else plural}"
