"""``blackstart recover``, ``halt`` and ``resume``: when something went wrong, or must stop."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from blackstart.cli_options import INVENTORY
from blackstart.errors import Unproven
from blackstart.evidence.summary import write_summary
from blackstart.inventory_file import load
from blackstart.model.inventory import Inventory
from blackstart.rack import enter
from blackstart.recovering import Recovering
from blackstart.safety.halt import halt as halt_site
from blackstart.safety.halt import resume as resume_site
from blackstart.safety.lease import lease_directory
from blackstart.safety.open_faults import survey
from blackstart.wiring import connect

DRILLS = click.option(
    "--drills",
    type=click.Path(path_type=Path),
    default=Path("reports/drills"),
    show_default=True,
    help="Where drills keep their journals.",
)


@click.command()
@INVENTORY
@DRILLS
@click.option("--list", "list_only", is_flag=True, help="Show what is open; touch nothing.")
def recover(inventory_file: str, drills: Path, list_only: bool) -> None:
    """Put back whatever drills left broken, and prove it.

    Reads every journal of the site, reverts what is open, newest first, proves it, and
    looks for dead-men that nobody needs any more. Exit code 0: nothing is open and nothing
    is left; 3: something could not be put back, with the commands to do it by hand, or a
    journal cannot be read.
    """
    inventory = load(Path(inventory_file))
    if inventory.rack is not None and not list_only:
        enter.ensure_inside([sys.executable, "-m", "blackstart", *sys.argv[1:]])
    found = survey(drills, inventory.site)
    if found.open:
        click.echo(f"{inventory.site}: {len(found.open)} open")
    elif not found.unread:
        nowhere = "" if drills.is_dir() else f": there is no {drills}"
        click.echo(f"nothing is open{nowhere}")
    for fault in found.open:
        click.echo(f"  {fault}")
    for error in found.unread:
        click.echo(f"CANNOT BE READ, so it may hide what is open: {error}", err=True)
    good = not found.unread
    good &= not found.open if list_only else _put_back(inventory, drills)
    if not good:
        sys.exit(Unproven.exit_code)


def _put_back(inventory: Inventory, drills: Path) -> bool:
    """Revert, prove, and look for strays; whether nothing is open or left."""
    home = enter.rack_home() if inventory.rack is not None else None
    with connect(inventory, rack_secrets=home / "secrets" if home else None) as site:
        recovering = Recovering(
            site, drills, lease_directory(), lambda text: click.echo(f"  {text}")
        )
        done = recovering.run()
        strays = recovering.strays()
    for item in done:
        write_summary(item.fault.journal.parent)
        if item.proof.holds:
            continue
        click.echo(f"NOT PUT BACK: {item.fault}: {item.proof.detail}", err=True)
        for command in item.fault.plan.rescue:
            click.echo(f"  by hand: {command}", err=True)
    for host, left in strays.items():
        click.echo(f"LEFT on {host}: {', '.join(left)}", err=True)
    return not strays and all(item.proof.holds for item in done)


@click.command()
@INVENTORY
@click.option("--why", default="stopped by hand", show_default=True, help="Kept with it.")
def halt(inventory_file: str, why: str) -> None:
    """Stop the running drill of a site (it reverts first), and refuse new ones."""
    site = load(Path(inventory_file)).site
    halt_site(lease_directory(), site, why)
    click.echo(f"{site}: a running drill reverts and ends; go on with: blackstart resume")


@click.command()
@INVENTORY
def resume(inventory_file: str) -> None:
    """Let drills run again after ``halt``."""
    site = load(Path(inventory_file)).site
    was = resume_site(lease_directory(), site)
    click.echo(f"{site}: drills may run again" if was else f"{site}: was not halted")
