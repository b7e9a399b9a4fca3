"""A simulated site of which every machine consents to lose its power at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Address
from pathlib import Path

from blackstart.drill import Drill
from blackstart.drivers.base import PowerControl
from blackstart.faults.cold_start import ColdStart
from blackstart.invariants import (
    addresses_stable,
    guests_boot,
    mounts_answer,
    names_resolve,
    services_answer,
)
from blackstart.model.inventory import Consent, Inventory
from blackstart.safety.journal import read
from blackstart.safety.open_faults import open_faults
from blackstart.terms import Terms
from tests.simulation.drivers import SimulatedPower, site_of
from tests.simulation.inventories import small_site
from tests.simulation.lies import Lies
from tests.simulation.world import World

CUT = "power off"
LIT = "power on"
STORE = "a0"  # by its name it would be first
MACHINES = ("a1", "a2", STORE)


def whole(unwilling: str | None = None) -> Inventory:
    """The small site with storage, every machine of which opted in, but for one."""
    inventory = small_site()
    consent = Consent.model_validate({"until": "2099-12-31"})
    a1 = inventory.nodes["a1"]
    nas = a1.model_copy(update={"role": "nas", "api": None, "address": IPv4Address("10.0.0.20")})
    nodes = {
        name: node
        if name == unwilling
        else node.model_copy(update={"may_break": {**node.may_break, "cold-start": consent}})
        for name, node in {STORE: nas, **inventory.nodes}.items()
    }
    return inventory.model_copy(update={"nodes": nodes})


@dataclass
class Bench:
    """A cold start of a simulated site, and what it left. ``power`` makes its controllers."""

    root: Path
    lies: Lies = field(default_factory=Lies)
    inventory: Inventory = field(default_factory=whole)
    attended: bool = False
    power: Callable[[World], PowerControl] = SimulatedPower
    make: Callable[[Inventory, Lies], World] = World
    notes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.world = self.make(self.inventory, self.lies)
        self.site = replace(site_of(self.world), power=self.power(self.world))

    def phase_begin(self, phase: str, detail: str) -> None:
        """Observer: a phase."""

    def phase_end(self, phase: str, detail: str) -> None:
        """Observer: its end."""

    def drill_end(self, directory: Path) -> None:
        """Observer: the end."""

    def note(self, text: str) -> None:
        """Observer: a line."""
        self.notes.append(text)

    @property
    def terms(self) -> Terms:
        drills, leases = self.root / "drills", self.root / "leases"
        return Terms("test", 600.0, "lab", drills / "one", drills, leases, attended=self.attended)

    def run(self, fault: ColdStart) -> None:
        drill = Drill(self.site, self.terms, self)
        with drill.fault(fault):
            drill.recovers(guests_boot(), names_resolve(), addresses_stable(), services_answer())
            if self.inventory.mounts:
                drill.recovers(mounts_answer())

    def proof(self, step: str) -> str:
        (entry,) = read(self.root / "drills" / "one" / "journal.jsonl").of(step)
        return str(entry.data["proof"])

    def sent(self, command: str) -> list[str]:
        return [host for host, sent in self.world.commands if sent == command]

    def left_open(self) -> int:
        return len(open_faults(self.root / "drills", "lab"))
