"""The whole address book: every row, and the records that belong to no declared guest."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeVar
from urllib.parse import urlsplit

from blackstart.model.address_book import Acceptance, Book, Holder, Served, SourcedRange, Topic
from blackstart.model.address_keepers import NOBODY
from blackstart.model.address_rows import row_of
from blackstart.model.dhcp_facts import AddressRange, DhcpFacts
from blackstart.model.facts import SiteFacts
from blackstart.model.inventory import Inventory
from blackstart.model.maas_facts import MaasFacts
from blackstart.model.observed import Observed, unread

T = TypeVar("T")


ONE_SERVER = "dhcp_has_a_second_server"
"""The check that an owner without a second DHCP server accepts."""


def address_book(inventory: Inventory, facts: SiteFacts) -> Book:
    """The address book of a site. Without MAAS in the inventory it has rows alone."""
    rows = tuple(
        row_of(inventory, facts, name) for name, guest in inventory.guests.items() if guest.running
    )
    others = dict(_others(inventory))
    sources = _sources(inventory, facts)
    ranges = tuple(_ranges(sources)) if sources else ()
    holders = tuple(_holders(sources, others, ranges)) if sources else ()
    served = tuple(_served(sources)) if sources else ()
    return Book(
        site=inventory.site,
        maas=sources is not None,
        rows=rows,
        others=others,
        ranges=ranges,
        holders=holders,
        served=served,
        unread={topic: tuple(why) for topic, why in (sources.unread if sources else {}).items()},
        one_server=_leave(inventory, facts.taken_at),
    )


def _leave(inventory: Inventory, taken_at: float) -> Acceptance | None:
    """The owner's leave for one DHCP server, on the day of the facts."""
    today = datetime.fromtimestamp(taken_at, UTC).date()
    for item in inventory.accept:
        if (item.check, item.target) == (ONE_SERVER, inventory.site):
            return Acceptance(reason=item.reason, until=item.until, over=today > item.until)
    return None


@dataclass(frozen=True, slots=True)
class _Sources:
    """Who is asked; what they could not say is collected on the way."""

    inventory: Inventory
    server: DhcpFacts
    maas: MaasFacts
    taken_at: float
    unread: dict[Topic, dict[str, None]] = field(default_factory=dict)

    def items(self, topic: Topic, seen: Observed[tuple[T, ...]]) -> tuple[T, ...]:
        """A list of facts; nothing, and a line in ``unread``, when it was not read."""
        if seen.value is None:
            line = f"{seen.source}: {seen.error or NOBODY}"
            self.unread.setdefault(topic, {})[line] = None
            return ()
        return seen.value


def _sources(inventory: Inventory, facts: SiteFacts) -> _Sources | None:
    """Whom to ask; nobody where the inventory declares no MAAS."""
    if inventory.maas is None:
        return None
    unseen = unread(DhcpFacts, "dhcpd", NOBODY)
    server = facts.dhcp.get(inventory.maas.guest, unseen) if inventory.maas.guest else unseen
    maas = facts.maas or unread(MaasFacts, "MAAS", NOBODY)
    return _Sources(inventory, server, maas, facts.taken_at)


def _others(inventory: Inventory) -> Iterator[tuple[str, str]]:
    """Declared addresses of what is no guest, with what has them."""
    dns = inventory.dns
    for name, known in (dns.names if dns else {}).items():
        yield from ((str(address), name) for address in known.addresses)
    for name, server in (dns.servers if dns else {}).items():
        yield str(server.address), f"name server {name}"
    for name, virtual in inventory.virtual_addresses.items():
        yield str(virtual.address), f"virtual address {name}"
    for name, node in inventory.nodes.items():
        if node.out_of_band is not None:
            yield str(urlsplit(node.out_of_band.url).hostname), f"controller of {name}"
        yield str(node.address), f"node {name}"


def _ranges(sources: _Sources) -> Iterator[SourcedRange]:
    """What the server gives to anybody, and what MAAS means it to give."""
    for item in sources.items("ranges", sources.server.ranges):
        yield SourcedRange(range=item, source=sources.server.ranges.source)
    for each in sources.items("ranges", sources.maas.dynamic_ranges):
        meant = AddressRange(first=each.first, last=each.last)
        yield SourcedRange(range=meant, source=sources.maas.dynamic_ranges.source)


def _held(sources: _Sources) -> Iterator[Holder]:
    """Every record that keeps an address for somebody, of guests and all others."""
    server, maas = sources.server, sources.maas
    for item in sources.items("holders", maas.reservations):
        who = item.mac or item.hostname or "nobody"
        yield Holder(kind="reservation", address=item.ip, who=who, source=item.source)
    for seen in (server.declared, server.recorded):
        for entry in sources.items("holders", seen):
            if entry.deleted:
                continue
            source, who = f"{seen.source} line {entry.line}", entry.mac or entry.name
            for address in entry.addresses:
                yield Holder(kind="host entry", address=address, who=who, source=source)
    for lease in sources.items("holders", server.leases):
        if lease.held_at(sources.taken_at):
            who, source = lease.mac or "nobody", server.leases.source
            yield Holder(kind="lease", address=lease.address, who=who, source=source)


def _holders(
    sources: _Sources, others: dict[str, str], ranges: tuple[SourcedRange, ...]
) -> Iterator[Holder]:
    """Records of nobody that the inventory knows; one for an address and who has it.

    A lease within a dynamic range is any client's and no orphan. A DNS record is one where
    nothing else keeps its address.
    """
    inventory = sources.inventory
    macs = {guest.mac for guest in inventory.guests.values()}
    known = {str(guest.address) for guest in inventory.guests.values()} | others.keys()
    held = tuple(_held(sources))
    told: set[tuple[str, str]] = set()
    for item in held:
        pooled = item.kind == "lease" and _within(item.address, ranges)
        if item.who in macs or item.address in known or pooled:
            continue
        if (item.address, item.who) not in told:
            told.add((item.address, item.who))
            yield item
    names = {name for guest in inventory.guests.values() for name in guest.names}
    names |= set(inventory.dns.names) if inventory.dns else set()
    kept = known | {item.address for item in held}
    for record in sources.items("holders", sources.maas.dns_records):
        name = record.fqdn.rstrip(".").lower()
        if record.rrtype != "A" or name in names or record.value in kept:
            continue
        if not _within(record.value, ranges):
            source = sources.maas.dns_records.source
            yield Holder(kind="DNS record", address=record.value, who=name, source=source)


def _within(address: str, ranges: tuple[SourcedRange, ...]) -> bool:
    return any(address in item.range for item in ranges)


def _served(sources: _Sources) -> Iterator[Served]:
    """Networks with DHCP as MAAS has it, and the server as its own configuration has it."""
    for subnet in sources.items("served", sources.maas.subnets):
        if subnet.dhcp_on:
            source = sources.maas.subnets.source
            yield Served(network=subnet.cidr, servers=subnet.racks, source=source)
    seen = sources.server.partners
    partners = sources.items("served", seen)
    guest = sources.inventory.maas.guest if sources.inventory.maas else None
    if seen.value is not None and guest is not None:
        yield Served(network=f"dhcpd of {guest}", servers=(guest, *partners), source=seen.source)
