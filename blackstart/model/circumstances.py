"""What a guard asks beyond the facts: who is at work, what is damaged, where we are ourselves.

These are looked at once, before a drill, and never compared with anything after it.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network
from pathlib import PurePath

from blackstart.model.facts import Record


class RunningTask(Record):
    """A task that the hypervisors' API shows as not ended; ``subject`` is a vmid or empty."""

    kind: str
    node: str
    subject: str
    user: str


class Store(Record):
    """A store that is enabled on a node, and whether the node can use it now."""

    node: str
    name: str
    active: bool


class Managed(Record):
    """A guest that the high-availability stack starts elsewhere: ``vm:100``, ``ct:120``.

    ``requested`` is the state that its owner wants, ``state`` the one it is in (ha-manager(1)).
    """

    sid: str
    node: str
    state: str
    requested: str = "started"


class HighAvailability(Record):
    """What ``ha-manager`` would do. ``disarmed`` as a whole, ``maintenance`` by node."""

    managed: tuple[Managed, ...]
    maintenance: tuple[str, ...]
    disarmed: bool


class Capacity(Record):
    """Bytes of memory that a node has, and uses."""

    total: int
    used: int

    @property
    def free(self) -> int:
        """Bytes that are not used."""
        return max(self.total - self.used, 0)


class Memory(Record):
    """Memory of nodes that are online, and the most that each guest may take (bytes, by sid)."""

    nodes: dict[str, Capacity]
    guests: dict[str, int]


class NewestFile(Record):
    """The newest file below a directory that is not empty; ``age_s`` by that host's own clock."""

    path: str
    age_s: float


class StorageHealth(Record):
    """Damage of a host's arrays and pools; ``seen`` says of each kind how it was looked at."""

    damage: tuple[str, ...]
    seen: tuple[str, ...]


class Route(Record):
    """One route of this machine; ``gateway`` is ``None`` for a network it is on itself."""

    network: IPv4Network
    gateway: IPv4Address | None
    metric: int


class LocalMount(Record):
    """One mount of this machine. ``server`` is whom its files come from, if from the network."""

    path: str
    server: str | None


class Here(Record):
    """The machine that the harness runs on. ``boot_id`` is that of its kernel."""

    boot_id: str
    addresses: tuple[IPv4Address, ...]
    routes: tuple[Route, ...]
    resolvers: tuple[str, ...]
    mounts: tuple[LocalMount, ...]

    def server_of(self, path: PurePath) -> str | None:
        """Whom a file comes from, by the mount that holds it; ``None`` when it is local.

        Raises ``LookupError`` when no mount holds it.
        """
        holding = [mount for mount in self.mounts if path.is_relative_to(mount.path)]
        if not holding:
            raise LookupError(f"no mount of this machine holds {path}")
        # Of two mounts at one place the later one is on top (mount(8)); max() keeps the first.
        return max(reversed(holding), key=lambda mount: len(PurePath(mount.path).parts)).server

    def gateway_to(self, address: IPv4Address) -> IPv4Address | None:
        """The first hop to an address; ``None`` when there is none in between.

        Raises ``LookupError`` without any route to it.
        """
        if address in self.addresses:
            return None
        fitting = [route for route in self.routes if address in route.network]
        if not fitting:
            raise LookupError(f"this machine has no route to {address}")
        best = max(fitting, key=lambda route: (route.network.prefixlen, -route.metric))
        return best.gateway
