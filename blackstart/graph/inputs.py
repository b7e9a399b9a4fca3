"""What the boot graph is built from: the inventory, facts, and what only checks ask of hosts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from blackstart.model.facts import SiteFacts
from blackstart.model.host_boot import FstabLine
from blackstart.model.inventory import Inventory
from blackstart.model.observed import Observed, Record

NOBODY = "nobody looked"


class Store(Record):
    """A store as the cluster defines it (``GET /storage``, storage.cfg).

    ``path`` is its directory, ``server`` whom it asks (NFS, CIFS, ...), ``nodes`` those
    that have it, empty for all; ``source`` where that is written.
    """

    name: str
    kind: str
    source: str
    path: str | None = None
    server: str | None = None
    nodes: tuple[str, ...] = ()

    def on(self, node: str) -> bool:
        """Whether a node has it."""
        return not self.nodes or node in self.nodes


class Resolver(Record):
    """A DNS server that a host asks, and the file and line that say so."""

    address: str
    where: str


class HostNames(Record):
    """How a host finds addresses: its own table first (hosts(5)), then its resolvers.

    ``table`` maps names to the file and line of each.
    """

    table: Observed[dict[str, str]]
    resolvers: Observed[tuple[Resolver, ...]]


@dataclass(frozen=True, slots=True)
class BootInputs:
    """Everything that the graph is built from; what is missing in it is unknown there.

    ``fstab`` and ``names`` are by host.
    """

    inventory: Inventory
    facts: SiteFacts
    fstab: Mapping[str, Observed[tuple[FstabLine, ...]]] = field(default_factory=dict)
    stores: Observed[tuple[Store, ...]] = field(
        default_factory=lambda: Observed(source="api GET storage", error=NOBODY)
    )
    names: Mapping[str, HostNames] = field(default_factory=dict)
