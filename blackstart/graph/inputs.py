"""What the boot graph is built from: the inventory, facts, and what only checks ask."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from blackstart.model.circumstances import HighAvailability
from blackstart.model.facts import SiteFacts
from blackstart.model.host_boot import FstabLine, HostBootFacts
from blackstart.model.inventory import Inventory
from blackstart.model.observed import Observed
from blackstart.model.proxmox_facts import ProxmoxFacts, StoreDefinition

NOBODY = "nobody looked"


@dataclass(frozen=True, slots=True)
class HostNames:
    """How a host finds addresses: its own table first (hosts(5)), then its resolvers.

    ``table`` maps names to the file and line of each, ``resolvers`` are addresses.
    """

    table: Observed[dict[str, str]]
    resolvers: Observed[tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class BootInputs:
    """Everything that the graph is built from; what is missing in it is unknown there.

    ``fstab`` and ``names`` are by host. ``high_availability`` is ``None`` where there is no
    cluster that could start guests by itself.
    """

    inventory: Inventory
    facts: SiteFacts
    fstab: Mapping[str, Observed[tuple[FstabLine, ...]]]
    names: Mapping[str, HostNames]
    stores: Observed[tuple[StoreDefinition, ...]]
    high_availability: Observed[HighAvailability] | None = None


def boot_inputs(
    inventory: Inventory,
    facts: SiteFacts,
    boots: Mapping[str, HostBootFacts],
    proxmox: ProxmoxFacts | None,
) -> BootInputs:
    """The inputs, of what a site was asked."""
    unasked: Observed[tuple[StoreDefinition, ...]] = Observed(
        source="api GET storage", error=NOBODY
    )
    return BootInputs(
        inventory=inventory,
        facts=facts,
        fstab={host: boot.fstab for host, boot in boots.items()},
        names={host: _names(boot) for host, boot in boots.items()},
        stores=proxmox.stores if proxmox is not None else unasked,
        high_availability=proxmox.high_availability if proxmox is not None else None,
    )


def _names(boot: HostBootFacts) -> HostNames:
    read = boot.hosts_file
    lines = reversed(read.value or ())  # the first line that has a name counts
    table = {name.lower(): line.where for line in lines for name in line.names}
    value = table if read.value is not None else None
    return HostNames(
        table=Observed(source=read.source, value=value, error=read.error),
        resolvers=boot.resolvers,
    )
