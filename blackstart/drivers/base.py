"""What a driver can do, as small protocols, so that a fault asks for no more than it needs.

The idea of tiny capability protocols is Jepsen's (``db.clj``); ``supports`` as the
way to choose among drivers is os-faults' (``power_management.py``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from pathlib import Path
from typing import Literal, Protocol

from blackstart.drivers.triage import Triage
from blackstart.model.circumstances import (
    Here,
    HighAvailability,
    Memory,
    NewestFile,
    RunningTask,
    StorageHealth,
    Store,
    Vitals,
)
from blackstart.model.deadman import DeadMan
from blackstart.model.dhcp_facts import LeaseTrial
from blackstart.model.facts import CertificateFacts, GuestFacts, Observed, SiteFacts
from blackstart.model.host_boot import HostBootFacts
from blackstart.model.inventory import Inventory
from blackstart.model.k3s_facts import K3sNode
from blackstart.model.maas_facts import MaasFacts
from blackstart.model.readiness import Readiness
from blackstart.model.samples import Series
from blackstart.model.undo import Action

PowerState = Literal["on", "off"]
BackOn = Literal["timer", "command"]
"""What ends a time without power: the controller's own timer, or a second command."""


@dataclass(frozen=True, slots=True)
class CommandResult:
    """What a remote command answered."""

    exit_code: int
    stdout: str
    stderr: str

    @property
    def ok(self) -> bool:
        """Whether it exited with 0."""
        return self.exit_code == 0


class Clock(Protocol):
    """Time, so that a drill can run against a simulated one."""

    def monotonic(self) -> float:
        """Seconds that only move forward."""

    def wall(self) -> float:
        """Seconds since the epoch."""

    def sleep(self, seconds: float) -> None:
        """Pause for so many seconds."""


class CommandRunner(Protocol):
    """Runs shell commands on a host, over one persistent connection a host."""

    def run(
        self, host: str, command: str, *, timeout_s: float, stdin: str | None = None
    ) -> CommandResult:
        """Run ``command`` with a POSIX shell.

        Raises ``Unreachable`` when there is no connection and ``TimedOut`` when it
        has not ended within ``timeout_s`` seconds; a non-zero exit is no error.
        """

    def forget(self, host: str) -> None:
        """Drop the connection to a host, as after a reboot; the next ``run`` makes a new one."""


class PowerControl(Protocol):
    """A management controller: power without asking the operating system."""

    def supports(self, host: str) -> bool:
        """Whether the inventory names a controller for this host."""

    def state(self, host: str) -> PowerState:
        """What the controller says now. Raises ``DriverError``."""

    def power_cycle(self, host: str) -> None:
        """One command that cuts power and restores it, with nobody in between."""

    def back_on_by(self, host: str) -> BackOn:
        """What can switch this machine on again after a time without power.

        Asked of the controller, never assumed. Raises ``Rejected`` when nothing can.
        """

    def off_for(self, host: str, seconds: float) -> None:
        """One command: power off now, on again after ``seconds`` by the controller itself."""

    def off(self, host: str) -> None:
        """Cut the power. Somebody must call ``power_on``; a fault needs a witness for that."""

    def power_on(self, host: str) -> None:
        """Switch on; fine when it is on already."""

    def restore_policy(self, host: str) -> str:
        """What the machine does when mains power returns, in Redfish's words."""


class DeadManControl(Protocol):
    """Dead-men on the hosts: what undoes a fault when nobody else is left to."""

    def arm(self, deadman: DeadMan, actions: Sequence[Action]) -> None:
        """Put it there and see it armed. Raises ``DriverError`` when that is not proven."""

    def renew(self, deadman: DeadMan) -> None:
        """Say that the harness lives.

        Raises ``Rejected`` when it has fired, another ``DriverError`` without an answer.
        """

    def disarm(self, deadman: DeadMan) -> tuple[str, ...]:
        """Take it away; what is left of it all the same. Raises ``DriverError``."""

    def traces(self, host: str) -> tuple[str, ...]:
        """Files and units of any dead-man on a host. Raises ``DriverError``."""


class GuestControl(Protocol):
    """The hypervisor's API, for guests."""

    def observe(self) -> Mapping[str, GuestFacts]:
        """Every declared guest, by name; what could not be read says so in its facts."""

    def status(self, guest: str) -> str:
        """``running`` or ``stopped``. Raises ``DriverError``."""

    def vitals(self, guest: str) -> Vitals:
        """Since when it runs and how much memory it has, now. Raises ``DriverError``."""

    def reboot(self, guest: str, *, timeout_s: float) -> str:
        """Shut it down and start it again, by the hypervisor alone; the task's exit status.

        Raises ``DriverError`` when that failed or had not ended within ``timeout_s`` seconds.
        """

    def starts_finished(self, node: str, since_wall: float) -> bool:
        """Whether the node has ended its start of all guests since a wall-clock time (seconds).

        After that, a guest that is stopped does not come back by itself.
        Raises ``DriverError``.
        """


class ClusterView(Protocol):
    """Quorum and membership as the API shows them."""

    def quorate(self) -> Observed[bool]:
        """Whether the surviving side has quorum."""

    def online(self) -> Observed[tuple[str, ...]]:
        """Names of the nodes that are online."""

    def standalone(self) -> Observed[bool]:
        """Whether there is but one node and no cluster, so that nobody votes."""

    def tasks(self) -> Observed[tuple[RunningTask, ...]]:
        """Tasks that have not ended, on any node, all online; bounded, never raises."""

    def stores(self) -> Observed[tuple[Store, ...]]:
        """Every enabled store on every node, all of which are online; bounded, never raises."""

    def high_availability(self) -> Observed[HighAvailability]:
        """Which guests start elsewhere when their node is lost; bounded, never raises."""

    def memory(self) -> Observed[Memory]:
        """Memory of nodes and guests; bounded, never raises."""


class Circumstances(Protocol):
    """What a guard asks of hosts, each question bounded by itself; none of them raises."""

    def here(self) -> Observed[Here]:
        """The machine that the harness runs on."""

    def work(self, hosts: Iterable[str]) -> Mapping[str, Observed[tuple[str, ...]]]:
        """Backups, scrubs, resyncs and upgrades under way, in words, by host."""

    def storage(self, hosts: Iterable[str]) -> Mapping[str, Observed[StorageHealth]]:
        """Damage of arrays and pools, by host."""

    def newest_file(self, host: str, directory: str) -> Observed[NewestFile]:
        """The newest file below a directory, empty ones left out; none is an error."""

    def ups(self, host: str, name: str) -> Observed[str]:
        """``ups.status`` of a supply that a host's NUT server knows, such as ``OL CHRG``."""

    def by_hand(self, hosts: Mapping[str, tuple[str, ...]]) -> Mapping[str, Observed[str]]:
        """What a person needs to put a host back by hand, by host; without anything private.

        ``hosts`` maps each to the guests (vmid as text) whose configurations belong to it.
        """


class NameLookup(Protocol):
    """Asks one DNS server for the addresses of one name, or for the names of one address."""

    def ask(self, server: str, name: str) -> Observed[tuple[str, ...]]:
        """Sorted IPv4 addresses, or the error text; bounded, never raises."""

    def pointers(self, server: str, address: str) -> Observed[tuple[str, ...]]:
        """Sorted names of an IPv4 address, or the error text; bounded, never raises."""


class CertificateLook(Protocol):
    """Looks at what a TLS endpoint presents."""

    def look(self, host: str, port: int, ca: Path | None) -> CertificateFacts:
        """Facts of the certificate at ``host:port``; bounded, never raises."""


class OfferLook(Protocol):
    """Asks for an address on an interface, and takes none."""

    def look(self, interface: str) -> Observed[tuple[str, ...]]:
        """Addresses of all DHCP servers that offer there; bounded, never raises."""


class LeaseAttempt(Protocol):
    """Takes an address on an interface, has it renewed, and gives it back."""

    def attempt(self, interface: str, server: IPv4Address) -> Observed[LeaseTrial]:
        """What came of it at one server; bounded, never raises."""


class K3sApi(Protocol):
    """The API of a k3s cluster. ``servers`` maps names to address and port."""

    @property
    def servers(self) -> Mapping[str, tuple[str, int]]:
        """Every declared server."""

    @property
    def ca(self) -> Path:
        """The CA file against which the servers are verified."""

    def version(self) -> str:
        """The cluster's version, from any server. Raises ``DriverError``."""

    def nodes(self) -> tuple[K3sNode, ...]:
        """Every node of the cluster, from any server. Raises ``DriverError``."""

    def failing(self, server: str) -> tuple[str, ...]:
        """The checks that make one server not ready. Raises ``DriverError``."""


class AddressSource(Protocol):
    """What gives out the site's addresses."""

    def observe(self) -> MaasFacts:
        """Every fact of it, or why it is not known; bounded, never raises."""


class ImageSync(Protocol):
    """Imports of boot images, which cost their machine memory, CPU and disk."""

    def start_import(self) -> None:
        """Begin one. It may fail later, without a word. Raises ``DriverError``."""

    def stop_import(self) -> None:
        """End it; fine when none runs. Raises ``DriverError``."""

    def importing(self) -> bool:
        """Whether one runs; ``False`` proves nothing (``docs/maas.md``). Raises ``DriverError``."""

    def incomplete(self) -> tuple[str, ...]:
        """Names of the images whose newest version is not whole. Raises ``DriverError``."""


class FactsSource(Protocol):
    """Takes a snapshot of the whole site."""

    def __call__(self) -> SiteFacts:
        """All facts now; a host that does not answer is an error in its facts, never a hang."""


class ProbeSession(Protocol):
    """Probes that ask again and again while a drill runs."""

    def start(self) -> None:
        """Begin asking, in the background."""

    def held(self, subject: str) -> float | None:
        """Seconds for which every probe of ``subject`` has been good without a gap.

        ``None`` while one of them fails or none has answered yet.
        """

    def seen_down(self, subject: str) -> bool:
        """Whether a working probe of ``subject`` failed when it asked last.

        Not the opposite of held: what nobody could ask is neither.
        """

    def subjects(self) -> frozenset[str]:
        """Names of everything that is probed."""

    def stop(self) -> tuple[Series, ...]:
        """End asking; everything that was seen."""


@dataclass(frozen=True, slots=True)
class Site:
    """A site's drivers, behind protocols. Wired in ``blackstart.wiring`` and nowhere else."""

    inventory: Inventory
    clock: Clock
    runner: CommandRunner
    power: PowerControl
    guests: GuestControl
    cluster: ClusterView
    names: NameLookup
    certificates: CertificateLook
    facts: FactsSource
    probes: Callable[[], ProbeSession]
    """Makes a fresh session of the site's probes."""
    leases: Callable[[], Mapping[str, Observed[LeaseTrial]]]
    """Tries a lease at each DHCP server that allows it; for a drill alone, see ``docs/dhcp.md``."""
    deadmen: DeadManControl
    circumstances: Circumstances
    every: Callable[[float, Callable[[], None]], AbstractContextManager[None]]
    """Calls something every so many seconds, beside everything else, while a block runs."""
    host_boots: Callable[[], Mapping[str, HostBootFacts]] = dict
    """What hosts say of their own next boot, by name; only checks ask, drills never."""
    images: ImageSync | None = None
    """Where the inventory declares a MAAS."""
    readiness: Callable[[], Readiness] | None = None
    """What checks ask beside the facts; bounded, never raises ``DriverError``."""
    greetings: Mapping[str, Callable[[], object]] = field(default_factory=dict)
    """The first words to everybody that a look waits for, by the name that ``triage`` knows."""
    triage: Triage = field(default_factory=Triage)
