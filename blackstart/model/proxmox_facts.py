"""What the Proxmox VE API says of a cluster's next boot.

Read for checks only: drills compare facts before and after and need none of this. Sizes in
bytes, times in seconds since the epoch.
"""

from __future__ import annotations

from typing import Any

from blackstart.model.circumstances import HighAvailability
from blackstart.model.observed import Observed, Record, unread


class StoreDefinition(Record):
    """A section of ``storage.cfg``. ``nodes`` empty: every node; ``servers``: whom it is from.

    ``mountpoint`` is the directory that must be a mount before the store is used
    (``is_mountpoint``), ``key`` says that it encrypts with a key of the cluster's.
    """

    name: str
    kind: str
    content: tuple[str, ...] = ()
    nodes: tuple[str, ...] = ()
    disabled: bool = False
    shared: bool = False
    path: str | None = None
    servers: tuple[str, ...] = ()
    mountpoint: str | None = None
    key: bool = False


class StoreState(Record):
    """A store as one node can use it now; all sizes 0 where it cannot."""

    name: str
    kind: str
    content: tuple[str, ...]
    enabled: bool
    active: bool
    total: int
    used: int
    available: int

    @property
    def share_used(self) -> float:
        """Between 0 and 1; 0 of a store that tells no size."""
        return self.used / self.total if self.total else 0.0


class Volume(Record):
    """Something that lies in a store. ``verified`` is a backup server's word: ok, failed."""

    volid: str
    content: str
    vmid: int | None = None
    made_at: float | None = None
    verified: str | None = None


class NodeMemory(Record):
    """A node's memory; ``merged`` is what KSM saves now and has to find again after a boot."""

    total: int
    used: int
    merged: int


class NodeCertificate(Record):
    """A certificate file of a node."""

    file: str
    expires_at: float | None


class NodeService(Record):
    """A unit as systemd has it: ``enabled`` for the next boot, ``active`` now, in its words."""

    name: str
    enabled: str
    active: str


class Pool(Record):
    """A ZFS pool and its health (zpoolconcepts(7))."""

    name: str
    health: str


class ThinPool(Record):
    """An LVM thin pool; shares between 0 and 1."""

    name: str
    used: float
    metadata_used: float


class Replication(Record):
    """A replication job as its source node tells it."""

    id: str
    last_sync: float
    failures: int
    error: str


class Mapping(Record):
    """A mapped device on one node; ``problems`` in the vendor's words."""

    id: str
    problems: tuple[str, ...]


class HypervisorFacts(Record):
    """What one node says of itself. ``clock_ahead_s``: of this machine's clock, in seconds.

    ``mappings`` is keyed by kind (``pci``, ``usb``, ``dir``); only kinds that a guest uses were
    asked, names of ``/etc/hosts`` only where a store is named by one, and ``machines``, the
    versions of machines that its QEMU knows, only where a guest asks for one of them.
    """

    stores: Observed[tuple[StoreState, ...]]
    memory: Observed[NodeMemory]
    certificates: Observed[tuple[NodeCertificate, ...]]
    clock_ahead_s: Observed[float]
    services: Observed[tuple[NodeService, ...]]
    pools: Observed[tuple[Pool, ...]]
    thin_pools: Observed[tuple[ThinPool, ...]]
    replication: Observed[tuple[Replication, ...]]
    mappings: Observed[dict[str, tuple[Mapping, ...]]]
    host_names: Observed[tuple[str, ...]]
    machines: Observed[tuple[str, ...]]


class GuestRow(Record):
    """A guest of the cluster, declared or not."""

    kind: str
    vmid: int
    node: str
    running: bool
    template: bool
    pool: str | None = None

    @property
    def path(self) -> str:
        """``qemu/100``, as the API writes it below its node."""
        return f"{self.kind}/{self.vmid}"

    @property
    def sid(self) -> str:
        """``vm:100``, as high availability writes it."""
        return f"{'vm' if self.kind == 'qemu' else 'ct'}:{self.vmid}"


class PendingChange(Record):
    """What the next start of a guest would change; ``None`` is no entry."""

    key: str
    now: str | None
    then: str | None


class GuestPlan(Record):
    """With what a guest would start (changes that wait are applied), and what waits."""

    config: Observed[dict[str, str]]
    pending: Observed[tuple[PendingChange, ...]]


class QuorumDevice(Record):
    """The quorum device, where there is one; ``state`` and ``algorithm`` in its own words.

    ``host`` is where its daemon runs, an address or a name, empty where it does not say.
    """

    state: str
    algorithm: str
    host: str = ""


class Votes(Record):
    """Votes by node, and the device that adds some (``None``: there is none).

    ``links`` are each node's addresses for corosync, as they are written.
    """

    nodes: dict[str, int]
    device: QuorumDevice | None
    links: dict[str, tuple[str, ...]]


class BackupJob(Record):
    """A job of ``jobs.cfg``; ``pool`` and ``node`` restrict it, empty is no restriction."""

    id: str
    enabled: bool
    everything: bool
    vmids: tuple[int, ...] = ()
    excluded: tuple[int, ...] = ()
    pool: str = ""
    node: str = ""
    store: str = ""
    repeats_missed: bool = False

    def covers(self, guest: GuestRow) -> bool:
        """Whether the job, enabled or not, backs this guest up."""
        if self.node and self.node != guest.node:
            return False
        if self.pool:
            return guest.pool == self.pool
        if self.vmids:
            return guest.vmid in self.vmids
        return self.everything and guest.vmid not in self.excluded


class ProxmoxFacts(Record):
    """The cluster. ``who`` is the token that asked (``USER@REALM!ID``).

    ``plans`` is keyed as ``GuestRow.path``, ``content`` ``NODE/STORE`` (only stores that are
    active there), ``rights`` by path: what the token may do there, asked where a list that is
    filtered could hide something.
    """

    who: str
    taken_at: float
    hypervisors: dict[str, HypervisorFacts]
    guests: Observed[tuple[GuestRow, ...]]
    plans: dict[str, GuestPlan]
    stores: Observed[tuple[StoreDefinition, ...]]
    content: dict[str, Observed[tuple[Volume, ...]]]
    online: Observed[dict[str, bool]]
    votes: Observed[Votes]
    high_availability: Observed[HighAvailability]
    shutdown_policy: Observed[str]
    jobs: Observed[tuple[BackupJob, ...]]
    uncovered: Observed[tuple[int, ...]]
    disabled_replication: Observed[tuple[str, ...]]
    rights: dict[str, Observed[tuple[str, ...]]]


_KEYED = ("hypervisors", "plans", "content", "rights")


def nothing_of(who: str, taken_at: float, source: str, error: str) -> ProxmoxFacts:
    """A cluster of which nothing could be read, each fact saying where and why."""
    facts: dict[str, Any] = {
        name: Observed[Any](source=source, error=error)
        for name in ProxmoxFacts.model_fields
        if name not in (*_KEYED, "who", "taken_at")
    }
    empty: dict[str, Any] = {name: {} for name in _KEYED}
    return ProxmoxFacts(who=who, taken_at=taken_at, **empty, **facts)


def silent_hypervisor(source: str, error: str) -> HypervisorFacts:
    """A node of which nothing could be read."""
    return unread(HypervisorFacts, source, error)
