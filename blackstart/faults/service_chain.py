"""What a unit takes along when it is stopped, and what would start it again.

systemd stops everything that requires, is bound to or is a part of a unit, and on the way back
starts none of it (systemd.unit(5): Requires=, BindsTo=, PartOf=). A unit that is stopped while
its socket, timer or path listens is started again by the next connection (systemctl(1), stop).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pydantic import TypeAdapter, ValidationError

from blackstart.drivers.base import Site
from blackstart.errors import Rejected
from blackstart.model.undo import Unit

LOOK_TIMEOUT_S = 15.0
FALLING_WITH_IT = ("RequiredBy", "RequisiteOf", "BoundBy", "ConsistsOf", "PropagatesStopTo")
"""Dependencies along which a stop goes on (systemd.unit(5), the table of inverse properties)."""
STARTING_IT = "TriggeredBy"
RUNS = frozenset({"active", "reloading", "activating"})
STOPPED = frozenset({"inactive", "failed"})
MOST_UNITS = 40
_UNIT: TypeAdapter[str] = TypeAdapter(Unit)


@dataclass(frozen=True, slots=True)
class UnitState:
    """One unit as systemd has it: its state, who falls with it, who starts it."""

    name: str
    state: str
    falling: tuple[str, ...]
    triggers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Chain:
    """What runs and is stopped with ``unit``: ``along``, and ``triggers``, which must go too."""

    unit: str
    along: tuple[str, ...]
    triggers: tuple[str, ...]


def question(units: Iterable[str]) -> str:
    """Asks systemd for the state and the dependencies of units, one block each."""
    wanted = ",".join(("Id", "ActiveState", *FALLING_WITH_IT, STARTING_IT))
    return f"systemctl show --property={wanted} -- " + " ".join(f"'{unit}'" for unit in units)


def look_at_units(site: Site, host: str, units: Iterable[str]) -> Mapping[str, UnitState]:
    """The units by the name that was asked for. Raises ``DriverError``."""
    asked = tuple(_known(host, unit) for unit in units)
    result = site.runner.run(host, question(asked), timeout_s=LOOK_TIMEOUT_S)
    blocks = [block for block in re.split(r"\n\s*\n", result.stdout.strip()) if block]
    if not result.ok or len(blocks) != len(asked):
        said = result.stderr.strip() or f"{len(blocks)} answers"
        raise Rejected(f"{host}: {', '.join(asked)} cannot be looked at: {said}")
    return {unit: _state(host, unit, block) for unit, block in zip(asked, blocks, strict=True)}


def look_at_chain(site: Site, host: str, unit: str) -> Chain:
    """What runs now and would stop with ``unit``, however far away.

    Raises ``Rejected`` for what could not be started again one by one, such as a target.
    """
    seen: dict[str, UnitState] = {}
    waiting = [unit]
    while waiting:
        found = look_at_units(site, host, waiting)
        seen |= found
        if len(seen) > MOST_UNITS:
            raise Rejected(f"{host}: more than {MOST_UNITS} units would stop with {unit}")
        further = (name for state in found.values() for name in state.falling)
        waiting = [name for name in dict.fromkeys(further) if name not in seen]
    stopped = [name for name, state in seen.items() if name == unit or state.state in RUNS]
    named = dict.fromkeys(trigger for name in stopped for trigger in seen[name].triggers)
    fresh = [name for name in named if name not in seen]
    seen |= look_at_units(site, host, fresh) if fresh else {}
    triggers = tuple(name for name in named if seen[name].state in RUNS)
    along = (name for name in stopped if name != unit and name not in triggers)
    return Chain(unit=unit, along=tuple(along), triggers=triggers)


def _state(host: str, unit: str, block: str) -> UnitState:
    found = dict(line.partition("=")[::2] for line in block.splitlines())
    if not found.get("ActiveState"):
        raise Rejected(f"{host}: systemd does not say how {unit} is")
    falling = [name for kind in FALLING_WITH_IT for name in found.get(kind, "").split()]
    return UnitState(
        name=unit,
        state=found["ActiveState"],
        falling=tuple(dict.fromkeys(falling)),
        triggers=tuple(found.get(STARTING_IT, "").split()),
    )


def _known(host: str, unit: str) -> str:
    """Raises ``Rejected`` for a unit that no undo of ours may name."""
    try:
        return _UNIT.validate_python(unit)
    except ValidationError:
        raise Rejected(
            f"{host}: {unit} would stop as well, and is none that could be started again alone"
        ) from None
