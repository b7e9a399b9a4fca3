"""``blackstart inventory``: look at an inventory without touching the site."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path

import click

from blackstart.cli_options import JSON_PRINTED
from blackstart.errors import InventoryError
from blackstart.inventory_file import load
from blackstart.model.inventory import Inventory

Counts = dict[str, int]


@click.group()
def inventory() -> None:
    """The file in which an owner declares a site."""


@inventory.command()
@click.argument("file", type=click.Path(path_type=Path))
@JSON_PRINTED
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
    today = datetime.now(UTC).date()  # as the guard of consents counts days
    if as_json:
        document = {
            "ok": True,
            "file": str(file),
            "site": site.site,
            "counts": counts(site),
            "may_break": _consents(site, today, ended=False),
            "expired": _consents(site, today, ended=True),
        }
        click.echo(json.dumps(document))
    else:
        click.echo(f"{file}: {summary(site, today)}")


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


def summary(site: Inventory, today: date) -> str:
    """One line: the site, what is declared, what may be broken, and which consents ended."""
    declared = ", ".join(_counted(number, noun) for noun, number in counts(site).items() if number)
    willing = _listed(_consents(site, today, ended=False), "until")
    ended = _listed(_consents(site, today, ended=True), "on")
    broken = f"may be broken: {willing}" if willing else "nothing may be broken"
    expired = f"; expired: {ended}" if ended else ""
    return f"site {site.site}: {declared}; {broken}{expired}"


def _listed(consents: Mapping[str, Mapping[str, str]], word: str) -> str:
    return ", ".join(
        f"{name} ({', '.join(f'{fault} {word} {day}' for fault, day in given.items())})"
        for name, given in consents.items()
        if given
    )


def _consents(site: Inventory, today: date, *, ended: bool) -> dict[str, dict[str, str]]:
    """Of every target the last days of its consents: those in force, or those that ended."""
    return {
        name: {
            fault: consent.until.isoformat()
            for fault, consent in site.may_break(name).items()
            if (consent.until < today) is ended
        }
        for name in (*site.nodes, *site.guests)
    }


def _counted(number: int, plural: str) -> str:
    return f"{number} {plural.removesuffix('s') if number == 1 else plural}"
