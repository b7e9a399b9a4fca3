"""Worlds and drills drawn by a seed: which fault, which target, which lies, and when."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from .lies import Lies

TARGETS: Mapping[str, tuple[str, ...]] = {
    "reboot": ("a1", "a2"),
    "power-cut": ("a1", "a2"),
    "cold-start": ("lab",),
    "nas-stop": ("nas1",),
    "nas-block": ("nas1",),
    "nas-stale": ("nas1",),
    "memory": ("a1", "a2"),
    "memory-share": ("box",),
    "service-restart": ("a1", "a2", "box", "dns1"),
    "service-stop": ("box", "dns1", "dns2"),
    "guest-reboot": ("box", "dns1", "k1"),
    "lease-renewal": ("box", "k1"),
    "image-sync": ("dns1",),
    "guest-stop": ("box", "dns1", "dns2", "k1"),
    "guest-wipe": ("box",),
}
NODES, GUESTS = ("a1", "a2", "nas1"), ("box", "dns1", "dns2", "k1")
HOSTS = (*NODES, *GUESTS)
SUBJECTS = ("node/a1", "node/nas1", "guest/box", "guest/k1", "dns/dns1", "service/web")
CHANGES = ("stop-unit", "restart-unit", "drop-port", "unexport", "fill-memory", "stop-guest")
UNDOS = ("start-unit", "end-own-unit", "drop-nft-table", "unmount", "reexport", "start-guest")
STEPS = ("deadman.armed", "fault.injecting", "fault.injected", "fault.active", "fault.closed")


def _interval(random: Random) -> tuple[float, float]:
    begins = random.uniform(4.0, 40.0)
    return begins, begins + random.choice((3.0, 10.0, 30.0, 120.0, 10_000.0))


def _some(random: Random, among: tuple[str, ...]) -> frozenset[str]:
    return frozenset(random.sample(among, random.randint(1, 2)))


LIES: Mapping[str, Callable[[Random], Any]] = {
    "power_swallowed": lambda random: True,
    "reboot_swallowed": lambda random: True,
    "reboot_refused": lambda random: True,
    "never_settles": lambda random: True,
    "arm_refused": lambda random: True,
    "arm_swallowed": lambda random: True,
    "deadman_idle": lambda random: True,
    "no_redeploy": lambda random: True,
    "guest_reboot_swallowed": lambda random: True,
    "guest_reboot_fails": lambda random: True,
    "import_swallowed": lambda random: True,
    "import_kills": lambda random: True,
    "no_lease": lambda random: _some(random, GUESTS),
    "watched": lambda random: frozenset({"docker.service", "snap.maas.pebble.service"}),
    "swallows": lambda random: _some(random, NODES),
    "swallowed": lambda random: _some(random, CHANGES),
    "forgets_timer": lambda random: _some(random, NODES),
    "never_returns": lambda random: _some(random, GUESTS),
    "never_answers": lambda random: _some(random, SUBJECTS[2:]),
    "unreadable": lambda random: _some(random, GUESTS),
    "blind": lambda random: _some(random, SUBJECTS),
    "undo_swallowed": lambda random: _some(random, UNDOS),
    "stays_down": lambda random: frozenset({"docker.service", "named.service"}),
    "undo_fails": lambda random: {random.choice(UNDOS): random.randint(1, 12)},
    "slow": lambda random: {random.choice(GUESTS): random.uniform(20.0, 300.0)},
    "moves": lambda random: {random.choice(GUESTS): "10.0.0.222"},
    "node_moves": lambda random: {random.choice(NODES): "10.0.0.99"},
    "partitions": lambda random: {random.choice(HOSTS): _interval(random)},
    "mute_ssh": lambda random: {random.choice(HOSTS): _interval(random)},
    "guests_die": lambda random: {random.choice(GUESTS): random.uniform(5.0, 60.0)},
    "wall_jumps": lambda random: ((random.uniform(0, 60), random.choice((-7200, 3600, 90_000))),),
    "suspended": lambda random: (random.uniform(0.0, 30.0), random.choice((3.0, 20.0, 3600.0))),
}


@dataclass(frozen=True)
class Drawn:
    """One drill in one world. ``halted_at`` and ``wiped_at``: something happens at a step."""

    family: str
    target: str
    hold_s: float
    lies: Lies
    told: tuple[str, ...]
    halted_at: str | None
    sentinel_lost: bool

    @property
    def honest(self) -> bool:
        """Whether nothing at all is wrong with this world."""
        return not self.told and self.halted_at is None and not self.sentinel_lost


def draw(seed: int) -> Drawn:
    """The same for the same seed."""
    random = Random(seed)
    family = random.choice(tuple(TARGETS))
    told = tuple(random.sample(tuple(LIES), random.choice((0, 0, 1, 2, 3, 4))))
    return Drawn(
        family=family,
        target=random.choice(TARGETS[family]),
        hold_s=random.choice((0.0, 5.0, 30.0)),
        lies=Lies(**{name: LIES[name](random) for name in told}),
        told=told,
        halted_at=random.choice(STEPS) if random.random() < 0.08 else None,
        sentinel_lost=random.random() < 0.05,
    )
