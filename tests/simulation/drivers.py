"""The drivers' protocols on a simulated world."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from blackstart.drivers.base import BackOn, CommandResult, PowerState, Site
from blackstart.errors import Rejected, Unreachable
from blackstart.model.circumstances import Vitals
from blackstart.model.deadman import DeadMan
from blackstart.model.facts import GuestFacts, Observed
from blackstart.model.mount_answer import MountState
from blackstart.model.samples import Sample, Series, held_since
from blackstart.model.subjects import guest_behind, subjects_of
from blackstart.model.undo import Action

from .circumstances import QuietCluster, SimulatedCircumstances
from .imports import IDLE_MIB, SimulatedImages
from .readiness import readiness
from .shell import Shell
from .snapshot import leases, snapshot
from .world import TICK_S, ArmedUndo, SimulatedClock, World


@dataclass
class SimulatedRunner:
    """ssh to the simulated hosts."""

    world: World

    def run(
        self, host: str, command: str, *, timeout_s: float, stdin: str | None = None
    ) -> CommandResult:
        world = self.world
        world.commands.append((host, command))
        world.clock.sleep(TICK_S)
        if not world.reachable(host):
            raise Unreachable(f"{host}: no route to host")
        return Shell(world).run(host, command)

    def forget(self, host: str) -> None:
        """Nothing to drop: there is no connection."""


@dataclass
class SimulatedPower:
    """A management controller, honest or not."""

    world: World

    def supports(self, host: str) -> bool:
        return self.world.inventory.nodes[host].out_of_band is not None

    def state(self, host: str) -> PowerState:
        if self.world.lies.controller_state != "on":
            return "off"
        return "on" if self.world.powered(host) else "off"

    def power_cycle(self, host: str) -> None:
        if not self.world.lies.power_swallowed:
            self.world.restart(host)

    def back_on_by(self, host: str) -> BackOn:
        by = self.world.lies.back_on_by.get(host, "timer")
        if by == "nothing":
            raise Rejected(f"{host}: its controller lists On; ForceOff and On are both needed")
        return "timer" if by == "timer" else "command"

    def off_for(self, host: str, seconds: float) -> None:
        assert self.back_on_by(host) == "timer"
        self._cut(host, math.inf if host in self.world.lies.forgets_timer else seconds)

    def off(self, host: str) -> None:
        self._cut(host, math.inf)

    def _cut(self, host: str, seconds: float) -> None:
        self.world.commands.append((host, "power off"))
        if host not in self.world.lies.swallows:
            self.world.restart(host, seconds)

    def power_on(self, host: str) -> None:
        self.world.commands.append((host, "power on"))
        if not self.world.powered(host):
            self.world.boots_at(host, self.world.clock.now)

    def restore_policy(self, host: str) -> str:
        return "LastState"


@dataclass
class SimulatedGuests:
    """The hypervisor's API."""

    world: World

    def observe(self) -> Mapping[str, GuestFacts]:
        return snapshot(self.world).guests

    def status(self, guest: str) -> str:
        self._ask(self.world.guests[guest].node)
        return "running" if self.world.guests[guest].up_at is not None else "stopped"

    def vitals(self, guest: str) -> Vitals:
        world, up_at = self.world, self.world.guests[guest].up_at
        self._ask(world.guests[guest].node)
        if up_at is None:
            return Vitals(running=False, uptime_s=0.0, memory=0)
        mib = IDLE_MIB
        if guest == world.image_import.guest:
            mib = world.image_import.memory_mib(world.clock.now)
        # A guest is on from its start, and up only once it has booted.
        uptime_s = max(world.clock.now - up_at + world.GUEST_S, 0.0)
        return Vitals(running=True, uptime_s=float(int(uptime_s)), memory=mib << 20)

    def reboot(self, guest: str, *, timeout_s: float) -> str:
        self._ask(self.world.guests[guest].node)
        if self.world.lies.guest_reboot_fails:
            raise Rejected(f"{guest}: reboot failed: VM quit/powerdown failed - got timeout")
        if not self.world.lies.guest_reboot_swallowed:
            self.world.reboot_guest(guest)
        return "OK"

    def starts_finished(self, node: str, since_wall: float) -> bool:
        self._ask(node)
        starts_at, clock = self.world.nodes[node].starts_at, self.world.clock
        return clock.now >= starts_at and clock.epoch + starts_at >= since_wall

    def _ask(self, node: str) -> None:
        if not self.world.pings(node):
            raise Rejected("595")


@dataclass
class SimulatedCluster(QuietCluster):
    """Quorum as the world has it."""

    world: World

    def quorate(self) -> Observed[bool]:
        return Observed(value=self.world.lies.quorate, source="simulation")

    def standalone(self) -> Observed[bool]:
        return Observed(value=False, source="simulation")

    def online(self) -> Observed[tuple[str, ...]]:
        up = tuple(name for name in self.world.nodes if self.world.pings(name))
        return Observed(value=up, source="simulation")


@dataclass
class SimulatedProbes:
    """Probes that see the world as it is at every tick of its clock."""

    world: World
    blind: frozenset[str] = frozenset()
    _samples: dict[str, list[Sample]] = field(default_factory=dict)

    def start(self) -> None:
        names = [item.name for item in subjects_of(self.world.inventory)]
        blind = self.blind | self.world.lies.blind
        self._samples = {name: [] for name in names if name not in blind}
        self.world.clock.on_tick.append(self._tick)

    def _up(self, name: str) -> bool:
        world = self.world
        kind, _, plain = name.partition("/")
        if kind == "node":
            return world.pings(plain)
        if kind == "mount":
            mount = world.inventory.mounts[plain]
            answers = world.mount_state(mount) is MountState.ANSWERS
            return world.pings(mount.host) and answers
        guest = guest_behind(world.inventory, name)
        if guest is None:
            return True
        if name in world.lies.never_answers and world.restarted(guest):
            return False
        return world.pings(guest) and (kind == "guest" or world.serves(guest, kind))

    def _tick(self) -> None:
        for name, samples in self._samples.items():
            samples.append(Sample(at=self.world.clock.monotonic(), ok=self._up(name)))

    def held(self, subject: str) -> float | None:
        since = held_since(self._samples[subject])
        return None if since is None else self.world.clock.monotonic() - since

    def seen_down(self, subject: str) -> bool:
        samples = self._samples[subject]
        return bool(samples) and not samples[-1].ok

    def subjects(self) -> frozenset[str]:
        return frozenset(self._samples)

    def stop(self) -> tuple[Series, ...]:
        self.world.clock.on_tick.remove(self._tick)
        return tuple(
            Series(
                probe=f"sim {name}",
                kind="simulated",
                subject=name,
                period_s=TICK_S,
                samples=tuple(samples),
            )
            for name, samples in self._samples.items()
        )


@dataclass
class SimulatedNames:
    """A resolver that knows what the inventory declares."""

    world: World

    def ask(self, server: str, name: str) -> Observed[tuple[str, ...]]:
        raise AssertionError("facts are taken whole in the simulation")

    def pointers(self, server: str, address: str) -> Observed[tuple[str, ...]]:
        raise AssertionError("facts are taken whole in the simulation")


@dataclass
class SimulatedCertificates:
    """TLS endpoints."""

    world: World

    def look(self, host: str, port: int, ca: Path | None) -> None:
        raise AssertionError("facts are taken whole in the simulation")


@dataclass
class SimulatedDeadMen:
    """Dead-men on the simulated hosts; looked for in one thread at a time, for one clock."""

    world: World
    looking: threading.Lock = field(default_factory=threading.Lock)

    def arm(self, deadman: DeadMan, actions: Sequence[Action]) -> None:
        self._reach(deadman.host)
        if self.world.lies.arm_refused:
            raise Rejected(f"{deadman.host}: the dead-man could not be armed: read-only")
        if self.world.lies.arm_swallowed:
            return
        armed = self.world.deadmen[deadman.id] = ArmedUndo(
            deadman.host,
            deadman.lease_s,
            tuple(actions),
            renewed_at=self.world.clock.now,
            boot=self.world.boot_of(deadman.host),
        )
        self.world.halfway("arming")
        armed.ticking = True

    def renew(self, deadman: DeadMan) -> None:
        self._reach(deadman.host)
        if not Shell(self.world).holds(deadman.host, deadman.guarding("true")):
            raise Rejected(f"{deadman.host}: the dead-man {deadman.id} has fired")

    def disarm(self, deadman: DeadMan) -> tuple[str, ...]:
        self._reach(deadman.host)
        self.world.deadmen.pop(deadman.id, None)
        return tuple(name for name in self.traces(deadman.host) if name == deadman.id)

    def traces(self, host: str) -> tuple[str, ...]:
        with self.looking:
            self._reach(host)
        return tuple(name for name, armed in self.world.deadmen.items() if armed.host == host)

    def _reach(self, host: str) -> None:
        self.world.clock.sleep(TICK_S)
        if not self.world.reachable(host):
            raise Unreachable(f"{host}: no route to host")


@contextmanager
def every(clock: SimulatedClock, seconds: float, action: Callable[[], None]) -> Iterator[None]:
    """``Site.every`` on a simulated clock; never called again from within itself."""
    due, busy = clock.now + seconds, False

    def tick() -> None:
        nonlocal due, busy
        if busy or clock.now < due:
            return
        due, busy = clock.now + seconds, True
        try:
            action()
        finally:
            busy = False

    clock.on_tick.append(tick)
    try:
        yield
    finally:
        clock.on_tick.remove(tick)


def site_of(world: World, *, blind: frozenset[str] = frozenset()) -> Site:
    """A whole site on one world; ``blind`` names subjects that nobody probes."""
    world.execute = Shell(world).holds
    return Site(
        inventory=world.inventory,
        clock=world.clock,
        runner=SimulatedRunner(world),
        power=SimulatedPower(world),
        guests=SimulatedGuests(world),
        cluster=SimulatedCluster(world),
        names=SimulatedNames(world),
        certificates=SimulatedCertificates(world),
        facts=lambda: snapshot(world),
        probes=lambda: SimulatedProbes(world, blind),
        leases=lambda: leases(world),
        deadmen=SimulatedDeadMen(world),
        circumstances=SimulatedCircumstances(),
        every=partial(every, world.clock),
        images=SimulatedImages(world) if world.inventory.maas else None,
        readiness=lambda: readiness(world),
    )
