"""A site that exists only in memory, on a clock that only moves when somebody sleeps.

The production drill code runs on it unchanged. What it can be told to do wrong are the
lies real systems tell: a controller that reports success and does nothing, a guest that
nobody starts, an address that moved.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from blackstart.model.inventory import Inventory
from blackstart.model.undo import Action

TICK_S = 0.5


@dataclass
class SimulatedClock:
    """Seconds that pass only in ``sleep``; whoever wants to see time pass subscribes."""

    now: float = 1000.0
    epoch: float = 1_800_000_000.0
    on_tick: list[Callable[[], None]] = field(default_factory=list)

    def monotonic(self) -> float:
        return self.now

    def wall(self) -> float:
        return self.epoch + self.now

    def sleep(self, seconds: float) -> None:
        until = self.now + seconds
        while self.now < until:
            self.now = min(self.now + TICK_S, until)
            for tick in self.on_tick:
                tick()


@dataclass
class SimulatedNode:
    """A machine: up from ``up_at`` (seconds) on, with that boot's id."""

    boot: int = 1
    up_at: float = 0.0
    settles_at: float = 0.0
    starts_at: float = 0.0

    @property
    def boot_id(self) -> str:
        return f"boot-{self.boot}"


@dataclass
class SimulatedGuest:
    """A guest: up from ``up_at`` on; never, when that is ``None``."""

    node: str
    address: str
    up_at: float | None = 0.0


@dataclass
class ArmedUndo:
    """A dead-man as it sits on its host; ``renewed_at`` in the world's seconds."""

    host: str
    lease_s: int
    actions: tuple[Action, ...]
    renewed_at: float


@dataclass
class Lies:
    """What this world does wrong."""

    power_swallowed: bool = False
    reboot_swallowed: bool = False
    reboot_refused: bool = False
    never_returns: frozenset[str] = frozenset()
    never_answers: frozenset[str] = frozenset()
    moves: dict[str, str] = field(default_factory=dict)
    slow: dict[str, float] = field(default_factory=dict)
    never_settles: bool = False
    sentinel: str = "as it was"
    controller_state: str = "on"
    quorate: bool = True
    votes: int = 3
    not_onboot: frozenset[str] = frozenset()
    unreadable: frozenset[str] = frozenset()
    config: dict[str, str] = field(default_factory=dict)


class World:
    """The state of the simulated site."""

    BOOT_S = 30.0
    GUEST_S = 10.0

    def __init__(self, inventory: Inventory, lies: Lies | None = None) -> None:
        self.inventory = inventory
        self.lies = lies or Lies()
        self.clock = SimulatedClock()
        self.nodes = {name: SimulatedNode() for name in inventory.nodes}
        self.guests = {
            name: SimulatedGuest(guest.node, str(guest.address))
            for name, guest in inventory.guests.items()
        }
        self.commands: list[tuple[str, str]] = []
        self.deadmen: dict[str, ArmedUndo] = {}

    def node_up(self, name: str) -> bool:
        return self.clock.now >= self.nodes[name].up_at

    def settled(self, name: str) -> bool:
        return self.node_up(name) and self.clock.now >= self.nodes[name].settles_at

    def guest_up(self, name: str) -> bool:
        guest = self.guests[name]
        return (
            guest.up_at is not None and self.node_up(guest.node) and self.clock.now >= guest.up_at
        )

    def restarted(self, name: str) -> bool:
        """Whether a guest's node has been rebooted."""
        return self.nodes[self.guests[name].node].boot > 1

    def restart(self, name: str) -> None:
        """Take a node down with its guests; all that is not a lie comes back."""
        now, node = self.clock.now, self.nodes[name]
        node.boot += 1
        node.up_at = now + self.BOOT_S
        node.settles_at = now + (10_000.0 if self.lies.never_settles else self.BOOT_S + 5.0)
        node.starts_at = node.up_at + 20.0
        for guest_name, guest in self.guests.items():
            if guest.node != name:
                continue
            delay = self.lies.slow.get(guest_name, self.GUEST_S)
            lost = guest_name in self.lies.never_returns
            guest.up_at = None if lost else node.up_at + delay
            guest.address = self.lies.moves.get(guest_name, guest.address)
