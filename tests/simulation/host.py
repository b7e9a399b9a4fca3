"""What a simulated machine holds that a fault can change: units, tables, memory, exports."""

from __future__ import annotations

from dataclasses import dataclass, field

RETURNS_S = 2.0
"""Seconds until a unit that was restarted is active again."""

Export = tuple[str, str, str]
"""Path, client and options, as ``exportfs -s`` has them."""


@dataclass
class Unit:
    """One systemd unit: ``invocation`` counts its starts; transient ones go with the boot.

    It is stopped and restarted with the unit that it is ``part_of``.
    """

    active: bool = True
    invocation: int = 1
    transient: bool = False
    returns_at: float | None = None
    part_of: str | None = None


@dataclass
class SimulatedHost:
    """The state of one machine that answers ssh; memory in MiB.

    ``wiped`` are directories of Compose projects that have lost their containers; a site
    that is well redeploys them at boot.
    """

    memory_mib: int
    units: dict[str, Unit] = field(default_factory=dict)
    exported: set[Export] = field(default_factory=set)
    declared_exports: frozenset[Export] = frozenset()
    tables: dict[str, int] = field(default_factory=dict)
    tmpfs: dict[str, int] = field(default_factory=dict)
    returning: set[str] = field(default_factory=set)
    redeploys: bool = True
    wiped: set[str] = field(default_factory=set)
    kernel_log: list[str] = field(default_factory=list)

    def boot(self) -> None:
        """Everything that lives in memory is gone, everything that is enabled starts."""
        self.tables.clear()
        self.returning.clear()
        self.tmpfs.clear()
        self.kernel_log.clear()
        if self.redeploys:
            self.wiped.clear()
        self.exported = set(self.declared_exports)
        self.units = {name: unit for name, unit in self.units.items() if not unit.transient}
        for name in self.units:
            self.start(name)

    def active(self, name: str) -> bool:
        """Whether a unit runs."""
        unit = self.units.get(name)
        return unit is not None and unit.active

    def start(self, name: str) -> bool:
        """Start a unit; one that runs is left alone. Whether there is such a unit."""
        unit = self.units.get(name)
        if unit is None:
            return False
        unit.returns_at = None
        if not unit.active:
            unit.active, unit.invocation = True, unit.invocation + 1
        return True

    def stop(self, name: str) -> bool:
        """Stop a unit; a transient one is gone then. Whether there was such a unit."""
        unit = self.units.get(name)
        if unit is None:
            return False
        unit.active, unit.returns_at = False, None
        if unit.transient:
            del self.units[name]
        for part in self.parts(name):
            self.stop(part)
        return True

    def parts(self, name: str) -> tuple[str, ...]:
        """Units that fall with a unit."""
        return tuple(part for part, unit in self.units.items() if unit.part_of == name)

    def tick(self, now: float) -> None:
        """Units that come back by themselves do."""
        for name in tuple(self.returning):
            unit = self.units[name]
            if unit.returns_at is None:
                self.returning.discard(name)
            elif now >= unit.returns_at:
                self.start(name)

    def restart(self, name: str, returns_at: float | None) -> None:
        """A unit stops, and comes back by itself at a time (s); never, with ``None``."""
        self.units[name].active = False
        if returns_at is not None:
            self.units[name].returns_at = returns_at
            self.returning.add(name)
        for part in self.parts(name):
            self.restart(part, returns_at)

    @property
    def available_mib(self) -> int:
        """Three quarters of its memory, less what a tmpfs holds."""
        return max(self.memory_mib * 3 // 4 - sum(self.tmpfs.values()), 64)

    @property
    def failed(self) -> tuple[str, ...]:
        """Units that should run and do not, as ``systemctl --failed`` has them."""
        return tuple(name for name, unit in self.units.items() if not unit.active)

    @property
    def ours(self) -> tuple[str, ...]:
        """Whatever is on it that only a fault of ours can have put there."""
        return (
            *(f"table {name}" for name in self.tables),
            *(f"tmpfs {path}" for path in self.tmpfs),
            *(f"unit {name}" for name, unit in self.units.items() if unit.transient),
        )
