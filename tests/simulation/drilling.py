"""One process of the harness on a simulated world: drills, recovers, is asked what it left."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from blackstart.drill import Drill, DrillFailed, DrillUnproven
from blackstart.drivers.base import Site
from blackstart.faults.base import Fault
from blackstart.recovering import Recovered, Recovering
from blackstart.safety.journal import Reading, read
from blackstart.safety.open_faults import OpenFault, open_faults
from blackstart.terms import Terms

from .drivers import site_of
from .families import promises
from .world import World


@dataclass
class Watcher:
    """Remembers what it was told."""

    notes: list[str] = field(default_factory=list)
    ended: list[Path] = field(default_factory=list)

    def phase_begin(self, phase: str, detail: str) -> None:
        self.notes.append(f"{phase}: {detail}")

    def phase_end(self, phase: str, detail: str) -> None:
        """Nothing to remember."""

    def note(self, text: str) -> None:
        self.notes.append(text)

    def drill_end(self, directory: Path) -> None:
        self.ended.append(directory)


@dataclass
class Harness:
    """``root`` keeps its drills and leases, as the home of one machine does."""

    root: Path
    world: World
    given: Site | None = None
    watcher: Watcher = field(default_factory=Watcher)

    @cached_property
    def site(self) -> Site:
        """Its drivers: honest ones, unless others were given."""
        return self.given or site_of(self.world)

    @property
    def drills(self) -> Path:
        return self.root / "drills"

    @property
    def leases(self) -> Path:
        return self.root / "leases"

    def drill(
        self, name: str = "one", *, plan_only: bool = False, budget_s: float = 600.0
    ) -> Drill:
        terms = Terms(
            scenario=name,
            budget_s=budget_s,
            armed=self.world.inventory.site,
            directory=self.drills / name,
            drills=self.drills,
            leases=self.leases,
            plan_only=plan_only,
        )
        return Drill(self.site, terms, self.watcher)

    def run(
        self,
        fault: Fault,
        *,
        name: str = "one",
        then: Sequence[Fault] = (),
        hold_s: float = 0.0,
        body: Callable[[Drill], None] = lambda drill: None,
    ) -> str:
        """A whole drill; its verdict. Raises what is no verdict, such as ``Refusal``."""
        drill = self.drill(name)
        with suppress(DrillFailed, DrillUnproven), drill.fault(fault, *then):
            drill.recovers(*promises(self.site, fault))
            if hold_s:
                drill.hold(hold_s)
            body(drill)
        return self.verdict(name)

    def verdict(self, name: str = "one") -> str:
        return str(self.journal(name).of("drill.end")[-1].data["verdict"])

    def journal(self, name: str = "one") -> Reading:
        return read(self.drills / name / "journal.jsonl")

    def steps(self, name: str = "one") -> list[str]:
        return [entry.step for entry in self.journal(name).entries]

    def open(self) -> tuple[OpenFault, ...]:
        return open_faults(self.drills, self.world.inventory.site)

    def recovering(self) -> Recovering:
        return Recovering(self.site, self.drills, self.leases, self.watcher.note)

    def recover(self) -> tuple[Recovered, ...]:
        return self.recovering().run()
