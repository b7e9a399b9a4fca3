"""``blackstart incidents``: past outages replayed on the rack, and how well they were foreseen."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import click
from rich.console import Console

from blackstart.cli_options import JSON_PRINTED, inventory_option
from blackstart.drivers.clock import SystemClock
from blackstart.errors import Unproven, UsageError
from blackstart.evidence import incidents as told
from blackstart.evidence.addresses import WIDE
from blackstart.incident.bench import RackBench
from blackstart.incident.judging import Outcome, outcome
from blackstart.incident.known import Known
from blackstart.incident.loading import Case, cases, chosen, load_all
from blackstart.incident.records import Records, digest
from blackstart.incident.replay import Replay
from blackstart.incident.scoring import Score, score
from blackstart.inventory_file import load
from blackstart.model.inventory import Inventory
from blackstart.rack import host
from blackstart.safety.lease import hold, lease_directory
from blackstart.signals import interrupting

CHECKOUT = Path(__file__).parents[1]
CODE = ("blackstart", "checks", "scenarios")
RESULTS = Path("reports/incidents")
SCORE = "score"

_inventory = inventory_option("The rack; nothing else is ever changed.")
_results = click.option(
    "--results",
    type=click.Path(path_type=Path, file_okay=False),
    default=RESULTS,
    show_default=True,
    help="Where records lie, one file a drift.",
)


@dataclass(frozen=True)
class Replays:
    """What commands and tests need: the drifts that there are, their records, and the rack."""

    file: Path
    inventory: Inventory
    cases: tuple[Case, ...]
    records: Records

    @classmethod
    def of(cls, inventory_file: str, results: Path) -> Replays:
        """Load all of it. Raises ``UsageError`` for a site that is no rack."""
        file = Path(inventory_file).resolve()
        inventory = load(file)
        if inventory.rack is None:
            raise UsageError(
                f"{inventory_file}: {inventory.site} is no rack; incidents change files and stop "
                "guests, and are replayed on the embedded rack alone (inventory/rack.yaml)"
            )
        known = Known.of(CHECKOUT / "checks", CHECKOUT / "scenarios", inventory)
        code = digest(file, *(CHECKOUT / part for part in CODE))
        found = cases(load_all(CHECKOUT / "incidents", known))
        return cls(file, inventory, found, Records(results.resolve(), code))

    @contextmanager
    def replaying(self) -> Iterator[Replay]:
        """Replays them on a rack that is as new and has no finding, and says where it is.

        Nobody else does meanwhile. What would end this process is Ctrl-C: the drill puts back,
        then the drift is mended and the rack reset. Raises ``Refusal`` while others replay, a drill
        runs or an earlier drift is applied, ``Unproven`` as ``Replay.begin``.
        """
        site, clock, drills = self.inventory.site, SystemClock(), lease_directory()
        log = self.records.directory / "log.txt"
        bench = RackBench(self.file, self.inventory, CHECKOUT, log)
        replay = Replay(bench, self.records, click.echo)
        host.ask_for_root()
        why, stop = "replaying incidents", "Ctrl-C or SIGTERM, which mends and resets first"
        with interrupting(), hold(site, why, clock, drills / "incidents", stop=stop):
            with hold(site, f"{why}: a reset", clock, drills):
                replay.begin()
            yield replay

    def outcomes(self, wanted: tuple[Case, ...]) -> tuple[tuple[Outcome, ...], tuple[str, ...]]:
        """How those went that have a record of today's code, and the ids of the others."""
        healthy = self.records.healthy()
        found = {case.id: self.records.of(case) for case in wanted}
        judged = tuple(
            outcome(case, record, healthy, self.inventory)
            for case in wanted
            if (record := found[case.id]) is not None
        )
        return judged, tuple(name for name, record in found.items() if record is None)

    def score(self, wanted: tuple[Case, ...]) -> Score:
        """The same, added up, and written beside the records."""
        added = score(*self.outcomes(wanted))
        self.records.write(self.records.path(SCORE), added.model_dump_json(indent=1))
        return added


def _console() -> Console:
    """Folded where a person looks, whole lines for a pipe."""
    return Console(highlight=False, width=None if sys.stdout.isatty() else WIDE)


@click.group()
def incidents() -> None:
    """Past outages, replayed on the rack: was each foreseen, and did it happen?

    \b
      blackstart incidents list
      blackstart incidents run 2025-12-07-missing-efi-disk efi-file-gone
      blackstart incidents score

    Each drift is applied, decided by `verify`, proven by a drill where one can show it, mended
    and verified again; then the rack is reset. docs/incidents.md says how one is written.

    Exit code 0: as expected; 1: not as expected; 2: usage, or an incident that is not right;
    3: something is not known.
    """


@incidents.command("list")
@_inventory
@JSON_PRINTED
def show_list(inventory_file: str, as_json: bool) -> None:
    """Which incidents and drifts there are. Changes nothing."""
    found = Replays.of(inventory_file, RESULTS).cases
    if as_json:
        click.echo(json.dumps(told.listed(found), indent=1))
    else:
        told.show_list(_console(), found)


@incidents.command()
@_inventory
@_results
@click.argument("name")
@click.argument("drift", required=False)
def run(inventory_file: str, results: Path, name: str, drift: str | None) -> None:
    """Replay the incident NAME, or one DRIFT of it, on the rack.

    The rack must be up; it is reset before the first and after each drift. Ctrl-C and SIGTERM end
    the drill, which puts back first, then mend and reset. A process that is killed leaves its drift
    applied, and the next one refuses until:

    \b
      blackstart rack reset
    """
    replays = Replays.of(inventory_file, results)
    wanted = chosen(replays.cases, name, drift)
    try:
        with replays.replaying() as replay:
            for case in wanted:
                replay.one(case)
    except KeyboardInterrupt as error:
        left = replays.records.applied()
        may = f"{left} may still be applied; run: blackstart rack reset"
        still = may if left else "no drift is applied"
        raise Unproven(f"broken off ({str(error) or 'Ctrl-C'}); {still}") from None
    found = score(*replays.outcomes(wanted))
    told.show(_console(), found)
    sys.exit(found.verdict.exit_code)


@incidents.command("score")
@_inventory
@_results
def show_score(inventory_file: str, results: Path) -> None:
    """Judge the records of all drifts, and add them up. Changes nothing on the rack.

    What a drift expects may be written anew without a new replay; what it does, or the code,
    makes its record count no longer.
    """
    replays = Replays.of(inventory_file, results)
    found = replays.score(replays.cases)
    told.show(_console(), found)
    sys.exit(found.verdict.exit_code)
