"""``blackstart verify`` and ``explain``: go or no-go before maintenance. Change nothing."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.text import Text

from blackstart.cli_options import INVENTORY, drills_option, json_option
from blackstart.cli_output import console, put
from blackstart.errors import Unproven, UsageError
from blackstart.evidence import decision as told
from blackstart.evidence.earlier import outages_of
from blackstart.inventory_file import load
from blackstart.model.act import ACTS, Act, parse_act
from blackstart.model.applicability import declared
from blackstart.model.finding import Finding, decide, expired
from blackstart.model.inventory import Inventory
from blackstart.model.verdict import Verdict
from blackstart.pytest_checks import FINDINGS

PACKAGE = Path(__file__).parent
CHECKS = (Path("checks"), PACKAGE / "checks", PACKAGE.parent / "checks")
"""An owner's own, where this is typed; else those that are installed with this package; else those
of the checkout that this runs from."""
KEPT = Path("reports/verify")
BOUND_S = 600.0
"""No snapshot takes as long: every question in it has its own bound."""
_KEPT_FROM_BEGINNING = re.compile(
    r"^_+ ERROR at setup of .* _+\n(.+(?:\n(?![_=]{3}).+)*)", re.MULTILINE
)


@click.command()
@INVENTORY
@click.option("--before", metavar="ACT", help=f"What you are about to do: {ACTS}.")
@json_option("Write the decision and every finding into this file as JSON.")
@click.option("--all", "everything", is_flag=True, help="Show every finding, not the first five.")
@drills_option("Earlier drills: they know for how long what goes down.")
def verify(
    inventory_file: str, before: str | None, output: Path | None, everything: bool, drills: Path
) -> None:
    """Would it all come back? Decide before maintenance, for the act that you name.

    Looks at the whole site and changes nothing. Without --before the decision is for any act.

    \b
      blackstart verify --before reboot:pve1
      blackstart verify --before cold-start --json decision.json

    Exit code 0: go; 1: no-go; 2: the inventory or the command line is not right; 3: something
    that the act touches could not be read.
    """
    inventory = load(Path(inventory_file))
    act = _act(before, inventory)
    today = datetime.now(UTC).date()
    checks = checks_directory(CHECKS)
    found = [*declared(_checked(checks, inventory_file), inventory), *expired(inventory, today)]
    decision = decide(found, act, inventory, today)
    findings = told.in_order(decision, found)
    kept = KEPT / f"{inventory.site}.json"
    new = _new(findings, _last(kept))
    outages = outages_of(act, inventory.site, drills)
    own = own_checks(checks)
    whole = told.Told(decision, findings, inventory.site, outages, new, own)
    told.show(console(output), whole, everything=everything)
    taken_at = datetime.now(UTC).isoformat(timespec="seconds")
    _keep(kept, output, told.document(decision, findings, inventory.site, taken_at, own))
    sys.exit(decision.verdict.exit_code)


@click.command()
@INVENTORY
@click.argument("number", type=click.IntRange(min=1))
def explain(inventory_file: str, number: int) -> None:
    """Show finding NUMBER of the last ``blackstart verify`` whole."""
    site = load(Path(inventory_file)).site
    document = _last(KEPT / f"{site}.json")
    if document is None:
        raise UsageError(f"nothing is on record for {site}; run blackstart verify first")
    findings = {item["number"]: item for item in document["findings"]}
    if number not in findings:
        raise UsageError(f"there is no finding {number}; the last run has 1 to {len(findings)}")
    shown = Console(highlight=False)
    for key, value in told.explained(findings[number], document["taken_at"]):
        shown.print(Text(f"{key:<{told.LABEL_WIDTH}}{value}"), soft_wrap=True)


def _act(before: str | None, inventory: Inventory) -> Act | None:
    if before is None:
        return None
    try:
        return parse_act(before, inventory)
    except ValueError as error:
        raise UsageError(f"--before {error}") from None


def _checked(checks: Path, inventory_file: str) -> tuple[Finding, ...]:
    """Run checks through pytest and read what they found.

    Raises ``UsageError`` when they could not be run, ``Unproven`` when they found nothing.
    """
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch) / "findings.json"
        words = ["pytest", str(checks), "--inventory", inventory_file, "--findings", str(file)]
        words += ["-q", "-p", "no:cacheprovider", "--no-header", "--tb=short"]
        try:
            done = subprocess.run(
                [sys.executable, "-m", *words],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=BOUND_S,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise Unproven(f"the checks did not end within {BOUND_S:.0f} s") from None
        if done.returncode == UsageError.exit_code:
            raise UsageError(_mistake(done.stdout) or done.stderr.strip() or done.stdout.strip())
        if not file.exists():
            raise Unproven(f"the checks said nothing: {(done.stdout + done.stderr)[-2000:]}")
        return FINDINGS.validate_json(file.read_bytes())


def _mistake(said: str) -> str:
    """What is not right, told once: pytest tells it of every check that it keeps from beginning."""
    return "\n".join(dict.fromkeys(_KEPT_FROM_BEGINNING.findall(said)))


def checks_directory(candidates: Iterable[Path]) -> Path:
    """The first that is there. Raises ``UsageError``."""
    for directory in candidates:
        if directory.is_dir():
            return directory
    raise UsageError("there is no checks/ here; run this where it lies")


def own_checks(directory: Path) -> str | None:
    """Where an owner's own checks lie; ``None`` for those of blackstart."""
    shipped = {other.resolve() for other in CHECKS[1:]}
    return None if directory.resolve() in shipped else str(directory.resolve())


def _last(kept: Path) -> dict[str, Any] | None:
    try:
        document: dict[str, Any] = json.loads(kept.read_text("utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except ValueError as error:
        raise UsageError(f"{kept}: {error}; delete it") from None
    if not isinstance(document, dict) or not isinstance(document.get("findings"), list):
        raise UsageError(f"{kept}: this is no decision; delete it")
    return document


def _new(
    findings: tuple[Finding, ...], last: dict[str, Any] | None
) -> frozenset[tuple[str, str]] | None:
    """Keys of what is wrong now and was not then; ``None`` when there is no then."""
    if last is None:
        return None
    wrong = {
        (item["check"], item["target"])
        for item in last["findings"]
        if item["verdict"] != Verdict.PASS
    }
    now = {item.key for item in findings if item.verdict is not Verdict.PASS}
    return frozenset(now - wrong)


def _keep(kept: Path, output: Path | None, document: Mapping[str, Any]) -> None:
    """Into both files, whatever becomes of the other one. Raises ``OSError``."""
    text = json.dumps(document, indent=2) + "\n"
    try:
        if output is not None:
            put(text, output)
    finally:
        kept.parent.mkdir(parents=True, exist_ok=True)
        put(text, kept)
