"""``blackstart drill``: bring the rack up, run drills through pytest, render the report."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import click

from blackstart.cli_options import INVENTORY
from blackstart.errors import UsageError
from blackstart.inventory_file import load
from blackstart.rack import enter, host, lifecycle
from blackstart.rack.phases import Phases
from blackstart.rack.topology import TOPOLOGIES

RESULTS = Path("reports/results")
MAIN_JOB = "scenarios/test_node_reboot.py"
"""The short tour: a node rebooted gracefully, another by power cut (docs/adr/0006)."""
Extent = Literal["each", "all"] | None


@click.command(context_settings={"ignore_unknown_options": True})
@INVENTORY
@click.option("--arm", help="The site's name; the rack arms itself, an owner's site never.")
@click.option(
    "--each", "extent", flag_value="each", help="The long tour: one drill for each kind of fault."
)
@click.option("--all", "extent", flag_value="all", help="Every scenario on every willing target.")
@click.option("--keep", is_flag=True, help="Leave the rack up afterwards.")
@click.argument("pytest_args", nargs=-1, type=click.UNPROCESSED)
def drill(
    inventory_file: str,
    arm: str | None,
    extent: Extent,
    keep: bool,
    pytest_args: tuple[str, ...],
) -> None:
    """Break things on purpose and prove that they come back.

    Without a site of your own this is the short tour on the rack: a node rebooted gracefully,
    another by power cut. --each is the long one. Further arguments go to pytest, for instance
    -k power_cut or --plan; where they choose scenarios, no tour chooses among them.
    """
    inventory = load(Path(inventory_file))
    words = [f"--inventory={inventory_file}", f"--alluredir={RESULTS}", "--clean-alluredir"]
    if inventory.rack is not None:
        arm = arm or inventory.site
    if arm is not None:
        words.append(f"--arm={arm}")
    words = [sys.executable, "-m", "pytest", *choice(extent, pytest_args), *words]
    words += pytest_args
    code = on_rack(inventory.rack, keep, words) if inventory.rack is not None else _run(words)
    if code != UsageError.exit_code:
        _run([sys.executable, "-m", "blackstart", "report", f"--results={RESULTS}"])
    sys.exit(code)


def choice(extent: Extent, pytest_args: Sequence[str]) -> list[str]:
    """What pytest is to collect, and ``--tour`` where one drill a kind of fault is enough."""
    tour = ["--tour"] if extent == "each" else []
    if any(Path(word.split("::")[0]).exists() for word in pytest_args):
        return tour
    if extent or any(word.startswith("-k") for word in pytest_args):
        return ["scenarios", *tour]
    return [MAIN_JOB, "--tour"]


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
