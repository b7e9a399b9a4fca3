"""``blackstart drill``: bring the rack up, run drills through pytest, render the report."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from blackstart.errors import UsageError
from blackstart.inventory_file import load
from blackstart.rack import enter, host, lifecycle
from blackstart.rack.phases import Phases
from blackstart.rack.topology import TOPOLOGIES

RESULTS = Path("reports/results")


@click.command(context_settings={"ignore_unknown_options": True})
@click.option(
    "--inventory",
    "inventory_file",
    default="inventory/rack.yaml",
    show_default=True,
    help="The site to drill.",
)
@click.option("--arm", help="The site's name; the rack arms itself, an owner's site never.")
@click.option("--all", "everything", is_flag=True, help="Every scenario on every willing target.")
@click.option("--keep", is_flag=True, help="Leave the rack up afterwards.")
@click.argument("pytest_args", nargs=-1, type=click.UNPROCESSED)
def drill(
    inventory_file: str, arm: str | None, everything: bool, keep: bool, pytest_args: tuple[str, ...]
) -> None:
    """Break things on purpose and prove that they come back.

    Without a site of your own this is the tour: one drill for each kind of fault, on the
    rack. Further arguments go to pytest, for instance -k power_cut or --plan.
    """
    inventory = load(Path(inventory_file))
    words = [f"--inventory={inventory_file}", f"--alluredir={RESULTS}", "--clean-alluredir"]
    if inventory.rack is not None:
        arm = arm or inventory.site
    if arm is not None:
        words.append(f"--arm={arm}")
    if not everything:
        words.append("--tour")
    chosen = [word for word in pytest_args if Path(word.split("::")[0]).exists()]
    command = [sys.executable, "-m", "pytest", *([] if chosen else ["scenarios"]), *words]
    words = [*command, *pytest_args]
    code = on_rack(inventory.rack, keep, words) if inventory.rack is not None else _run(words)
    if code != UsageError.exit_code:
        _run([sys.executable, "-m", "blackstart", "report", f"--results={RESULTS}"])
    sys.exit(code)


def _run(words: Sequence[str], network: Sequence[str] = ()) -> int:
    """Run as who called, also behind sudo, so that all files belong to that person."""
    whole = [*network, *host.caller_prefix(), *words]
    return subprocess.run(whole, check=False, env=host.caller_environment()).returncode


def on_rack(topology: str, keep: bool, words: Sequence[str]) -> int:
    """Run with the rack up; a rack that was brought up here goes down again unless kept."""
    host.require_root()
    ours = enter.rack_home() is None
    click.echo(lifecycle.up(TOPOLOGIES[topology], Phases(), take_over=False, fresh=False))
    try:
        return _run(words, enter.prefix())
    finally:
        if ours and not keep:
            lifecycle.down()
