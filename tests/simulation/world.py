"""A site that exists only in memory, on a clock that only moves when somebody sleeps.

The production drill code runs on it unchanged. What it can be told to do wrong are the
lies real systems tell: ``Lies``. Dead-men live in it, not in the harness: they go on
undoing when the harness is dead.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from blackstart.model.inventory import Inventory, NfsMount
from blackstart.model.mount_answer import MountState
from blackstart.model.undo import Action
from blackstart.safety.deadman import TICK_S as LOOKS_EVERY_S

from .host import SimulatedHost, Unit
from .imports import Import
from .leases import Leases
from .lies import Lies

__all__ = ["TICK_S", "ArmedUndo", "Lies", "SimulatedClock", "World"]

TICK_S = 0.5
BEGAN_AT = 1000.0
UNITS = {
    "hypervisor": ("corosync.service", "pve-cluster.service", "libvirtd.service"),
    "nas": ("nfs-server.service", "nfs-kernel-server.service"),
    "guest": (
        *("snap.maas.pebble.service", "named.service", "isc-dhcp-server.service"),
        *("docker.service", "systemd-networkd.service"),
    ),
}
PART_OF = dict.fromkeys(("named.service", "isc-dhcp-server.service"), "snap.maas.pebble.service")
WATCHED_S = 5.0
"""Seconds after which a unit that somebody watches is started again."""
MEMORY_MIB = {"hypervisor": 8192, "nas": 4096, "guest": 2048}


@dataclass
class SimulatedClock:
    """Seconds that pass only in ``sleep``; whoever wants to see time pass subscribes.

    While the harness's machine is suspended they pass for the world alone; who wakes up can
    tell from this clock, as from ``CLOCK_BOOTTIME`` (clock_gettime(2)).
    """

    lies: Lies
    now: float = BEGAN_AT
    epoch: float = 1_800_000_000.0
    world: Callable[[], None] = lambda: None
    on_tick: list[Callable[[], None]] = field(default_factory=list)

    def monotonic(self) -> float:
        return self.now

    def wall(self) -> float:
        jumped = sum(by for at, by in self.lies.wall_jumps if self.now - BEGAN_AT >= at)
        return self.epoch + self.now + jumped

    def sleep(self, seconds: float) -> None:
        until = self.now + seconds
        while self.now < until:
            self.now = min(self.now + TICK_S, until)
            self.world()
            for tick in tuple(self.on_tick):
                tick()
            if self.lies.suspended and self.now - BEGAN_AT >= self.lies.suspended[0]:
                (_, length), self.lies.suspended = self.lies.suspended, None
                self.pass_without_harness(length)
                until += length

    def pass_without_harness(self, seconds: float) -> None:
        """Time goes by for the world alone."""
        until = self.now + seconds
        while self.now < until:
            self.now = min(self.now + TICK_S, until)
            self.world()


@dataclass
class SimulatedNode:
    """A machine: power from ``power_at`` (seconds) on, up from ``up_at``, with that boot's id."""

    address: str
    boot: int = 1
    power_at: float = 0.0
    up_at: float = 0.0
    settles_at: float = 0.0
    starts_at: float = 0.0

    @property
    def boot_id(self) -> str:
        return f"boot-{self.boot}"


@dataclass
class SimulatedGuest:
    """A guest: up from ``up_at`` on; stopped, when that is ``None``."""

    node: str
    address: str
    up_at: float | None = 0.0
    boot: int = 1


@dataclass
class ArmedUndo:
    """A dead-man as it sits on its host; ``renewed_at`` in the world's seconds.

    Its files are there before it is ``ticking``; enabled as it is, a boot starts it as well.
    """

    host: str
    lease_s: int
    actions: tuple[Action, ...]
    renewed_at: float
    boot: int
    ticking: bool = False
    fired: bool = False
    looks_at: float = 0.0


class World:
    """The state of the simulated site."""

    BOOT_S = 30.0
    GUEST_S = 10.0

    def __init__(self, inventory: Inventory, lies: Lies | None = None) -> None:
        self.inventory = inventory
        self.lies = lies or Lies()
        self.clock = SimulatedClock(self.lies, world=self.tick)
        self.nodes = {
            name: SimulatedNode(str(node.address)) for name, node in inventory.nodes.items()
        }
        self.guests = {
            name: SimulatedGuest(guest.node, str(guest.address))
            for name, guest in inventory.guests.items()
        }
        self.hosts = {
            name: self._host(node.role, name) for name, node in inventory.nodes.items()
        } | {name: self._host("guest", name) for name, guest in inventory.guests.items()}
        self.leases = Leases.of(inventory, BEGAN_AT)
        self.image_import = Import(inventory.maas.guest if inventory.maas else None)
        self.commands: list[tuple[str, str]] = []
        self.deadmen: dict[str, ArmedUndo] = {}
        self.halfway: Callable[[str], None] = lambda point: None
        """Told in the middle of what is not done at once."""
        self.bitten: list[str] = []
        """What really was broken by a fault, in order."""
        self.fired: dict[str, float] = {}
        """Dead-men that have undone a fault, and when (the clock's seconds)."""
        self.execute: Callable[[str, str], bool] = lambda host, command: False
        """How a dead-man runs a line on its own host; whether it exited with 0."""

    def _host(self, role: str, name: str) -> SimulatedHost:
        host = SimulatedHost(
            MEMORY_MIB[role],
            redeploys=not self.lies.no_redeploy,
            declared_exports=frozenset(
                (mount.export, "10.0.0.0/24", "rw,no_subtree_check")
                for mount in self.inventory.mounts.values()
                if mount.server == name
            ),
        )
        host.units = {unit: Unit(part_of=PART_OF.get(unit)) for unit in UNITS[role]}
        host.exported = set(host.declared_exports)
        return host

    # -- what is so -----------------------------------------------------------------

    @property
    def elapsed(self) -> float:
        """Seconds since this world began."""
        return self.clock.now - BEGAN_AT

    def powered(self, name: str) -> bool:
        """Whether a node has power, booted or not."""
        return self.clock.now >= self.nodes[name].power_at

    def node_up(self, name: str) -> bool:
        return self.clock.now >= self.nodes[name].up_at

    def settled(self, name: str) -> bool:
        return self.node_up(name) and self.clock.now >= self.nodes[name].settles_at

    def guest_up(self, name: str) -> bool:
        guest = self.guests[name]
        return (
            guest.up_at is not None and self.node_up(guest.node) and self.clock.now >= guest.up_at
        )

    def host_up(self, name: str) -> bool:
        """Whether a node or a guest runs, whoever can see it."""
        return self.node_up(name) if name in self.nodes else self.guest_up(name)

    def boot_of(self, name: str) -> int:
        """Which boot a host is in; a guest's own starts count, too."""
        if name in self.nodes:
            return self.nodes[name].boot
        guest = self.guests[name]
        return 1000 * self.nodes[guest.node].boot + guest.boot

    def restarted(self, name: str) -> bool:
        """Whether a guest's node has been rebooted."""
        return self.nodes[self.guests[name].node].boot > 1

    def left_behind(self) -> tuple[str, ...]:
        """Whatever is there that only a drill can have put there."""
        found = [f"{name}: {it}" for name, host in self.hosts.items() for it in host.ours]
        return (*found, *(f"{armed.host}: dead-man {it}" for it, armed in self.deadmen.items()))

    def ails(self) -> tuple[str, ...]:
        """The truth: whatever is not as it was when this world began, and what was left."""
        found = [f"{name} is down" for name in self.hosts if not self.host_up(name)]
        for name, node in self.nodes.items():
            if node.address != str(self.inventory.nodes[name].address):
                found.append(f"{name} has the address {node.address}")
        for name, guest in self.guests.items():
            if guest.address != str(self.inventory.guests[name].address):
                found.append(f"{name} has the address {guest.address}")
        for name, host in self.hosts.items():
            found += [f"{name}: {unit} does not run" for unit in host.failed]
            found += [f"{name}: {directory} was wiped" for directory in host.wiped]
            if host.exported != host.declared_exports:
                found.append(f"{name} exports {sorted(host.exported)}")
        if self.lies.sentinel != "as it was":
            found.append("the sentinel has changed")
        return (*found, *self.left_behind())

    # -- what the harness can see of it -----------------------------------------------

    def pings(self, name: str) -> bool:
        """Whether the harness gets an answer from a host at its declared address."""
        cut = self.lies.partitions.get(name)
        if cut is not None and cut[0] <= self.elapsed < cut[1]:
            return False
        if name in self.nodes:
            declared = str(self.inventory.nodes[name].address)
            return self.node_up(name) and self.nodes[name].address == declared
        declared = str(self.inventory.guests[name].address)
        return self.guest_up(name) and self.guests[name].address == declared

    def reachable(self, name: str) -> bool:
        """Whether the harness can log in there."""
        mute = self.lies.mute_ssh.get(name)
        return self.pings(name) and not (mute and mute[0] <= self.elapsed < mute[1])

    def serves(self, guest: str, kind: str) -> bool:
        """Whether what answers for a guest's ``dns``, ``dhcp`` or ``service`` runs on it."""
        host = self.hosts[guest]
        if kind == "dns":
            return host.active("named.service")
        if kind == "dhcp":
            return host.active("isc-dhcp-server.service")
        projects = self.inventory.compose.values()
        lost = any(p.directory in host.wiped for p in projects if p.guest == guest)
        return host.active("docker.service") and not lost

    def mount_state(self, mount: NfsMount) -> MountState:
        """What a client finds where it mounts a server's export."""
        server = self.hosts[mount.server]
        serves = self.host_up(mount.server) and server.active("nfs-server.service")
        declared = str(self.inventory.nodes[mount.server].address)
        if not serves or 2049 in server.tables.values():
            return MountState.HANGS
        if self.nodes[mount.server].address != declared:
            return MountState.HANGS
        exported = any(path == mount.export for path, _, _ in server.exported)
        return MountState.ANSWERS if exported else MountState.STALE

    # -- what happens -----------------------------------------------------------------

    def restart(self, name: str, off_s: float = 0.0) -> None:
        """Take a node down with its guests, without power for so many seconds (``inf``: nobody
        switches it on); all that is not a lie comes back.
        """
        self.bitten.append(f"boot {name}")
        node = self.nodes[name]
        node.boot += 1
        node.address = self.lies.node_moves.get(name, node.address)
        self.hosts[name].boot()
        self.boots_at(name, self.clock.now + off_s)

    def boots_at(self, name: str, begins_at: float) -> None:
        """A node that is down gets its power then, and boots."""
        node = self.nodes[name]
        node.power_at = begins_at
        node.up_at = begins_at + self.BOOT_S
        node.settles_at = node.up_at + (10_000.0 if self.lies.never_settles else 5.0)
        node.starts_at = node.up_at + 20.0
        for guest_name, guest in self.guests.items():
            if guest.node != name:
                continue
            self.hosts[guest_name].boot()
            lost = guest_name in self.lies.never_returns
            guest.up_at = None if lost else node.up_at + self._guest_boot_s(guest_name)
            self._address_at_boot(guest_name)

    def _guest_boot_s(self, name: str) -> float:
        return self.lies.slow.get(name, self.GUEST_S)

    def _address_at_boot(self, name: str) -> None:
        """What it comes up with; its lease begins then."""
        guest = self.guests[name]
        kept = guest.address or str(self.inventory.guests[name].address)
        guest.address = self.lies.moves.get(name, kept)
        if guest.up_at is not None:
            self.leases.begins(name, guest.up_at)

    def reboot_guest(self, name: str) -> None:
        """Its hypervisor shuts it down and starts it again; never, for one that is lost."""
        self.bitten.append(f"boot {name}")
        self.stop_guest(name)
        if name not in self.lies.never_returns:
            self.start_guest(name)
            self._address_at_boot(name)

    def stop_guest(self, name: str) -> None:
        """Pull a guest's plug."""
        self.guests[name].up_at = None
        self.hosts[name].boot()

    def start_guest(self, name: str) -> None:
        """Start a stopped guest; one that runs is left alone."""
        if self.guests[name].up_at is None:
            self.guests[name].boot += 1
            self.guests[name].up_at = self.clock.now + self._guest_boot_s(name)

    def out_of_memory(self, node: str) -> None:
        """The kernel of a node takes its biggest process, which is a guest."""
        running = [n for n, g in self.guests.items() if g.node == node and g.up_at is not None]
        for guest in running[:1]:
            self.kill_guest(guest)

    def kill_guest(self, name: str) -> None:
        """A hypervisor's kernel kills a guest for want of memory, and says so."""
        log, vmid = self.hosts[self.guests[name].node].kernel_log, self.inventory.guests[name].vmid
        log.append(
            f"{200 + len(log)} oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_"
            f"allowed=0,global_oom,task_memcg=/qemu.slice/{vmid}.scope,task=kvm,pid=4{vmid},uid=0"
        )
        self.stop_guest(name)

    def tick(self) -> None:
        """What happens without anybody asking: units come back, services die, dead-men look."""
        for host in self.hosts.values():
            if host.returning:
                host.tick(self.clock.now)
        for guest, at in tuple(self.lies.guests_die.items()):
            if self.elapsed >= at:
                del self.lies.guests_die[guest]
                self.bitten.append(f"death of {guest}")
                self.stop_guest(guest)
        self.leases.tick(self)
        self.image_import.tick(self)
        for name, armed in tuple(self.deadmen.items()):
            if self._fires(armed) and self._undone(armed):
                del self.deadmen[name]
                self.fired[name] = self.clock.now

    def _fires(self, armed: ArmedUndo) -> bool:
        now = self.clock.now
        if not self.host_up(armed.host) or now < armed.looks_at:
            return False
        if not armed.ticking and self.boot_of(armed.host) == armed.boot:
            return False
        armed.looks_at = now + LOOKS_EVERY_S
        rebooted = self.boot_of(armed.host) != armed.boot
        return rebooted or armed.fired or now - armed.renewed_at > armed.lease_s

    def _undone(self, armed: ArmedUndo) -> bool:
        armed.fired = True
        if self.lies.deadman_idle:
            return False
        for action in armed.actions:
            self.execute(armed.host, action.command())
        return all(self.execute(armed.host, action.proof()) for action in armed.actions)
