"""What somebody is about to do, and what of the site it touches."""

from __future__ import annotations

from collections.abc import Iterator

from blackstart.model.inventory import Inventory
from blackstart.model.observed import Record

REBOOT, COLD_START, UPGRADE = "reboot", "cold-start", "upgrade"
ACTS = f"{REBOOT}:NODE, {COLD_START} or {UPGRADE}"


class Act(Record):
    """``reboot`` of one node, a ``cold-start`` of the whole site, an ``upgrade`` of it.

    An upgrade reboots one node after the other, so it touches all of them.
    """

    kind: str
    node: str | None = None

    def __str__(self) -> str:
        return f"{self.kind}:{self.node}" if self.node else self.kind

    def touches(self, inventory: Inventory) -> frozenset[str] | None:
        """Names of all that goes down with it; ``None`` for the whole site.

        With a node go its guests, what they serve, its mounts; with a NAS go its clients'
        mounts of it. What belongs to the site as a whole (quorum, addresses) is touched by
        every act.
        """
        if self.node is None:
            return None
        guests = set(inventory.guests_of(self.node))
        hosts = {self.node, *guests}
        return frozenset({inventory.site, *hosts, *_served_by(hosts, inventory)})


def _served_by(hosts: set[str], inventory: Inventory) -> Iterator[str]:
    """Names of what these hosts carry: services, projects, certificates, servers, mounts."""
    servers = inventory.dns.servers if inventory.dns else {}
    for carried in (
        *(inventory.services, inventory.compose, inventory.certificates),
        *(servers, inventory.dhcp),
    ):
        yield from (name for name, part in carried.items() if part.guest in hosts)
    for name, mount in inventory.mounts.items():
        if {mount.host, mount.server} & hosts:
            yield name


def parse_act(text: str, inventory: Inventory) -> Act:
    """Read ``reboot:pve1``, ``cold-start`` or ``upgrade``. Raises ``ValueError`` otherwise."""
    kind, _, node = text.partition(":")
    if kind == REBOOT and node in inventory.nodes:
        return Act(kind=kind, node=node)
    if kind == REBOOT:
        raise ValueError(
            f"{text!r}: there is no node {node!r}; write {REBOOT}: and one of "
            f"{', '.join(inventory.nodes)}"
        )
    if text in (COLD_START, UPGRADE):
        return Act(kind=kind)
    raise ValueError(f"{text!r} is no act; write {ACTS}")
