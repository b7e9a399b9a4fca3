"""Who keeps an address for a guest, as cells of its row: MAAS, and the DHCP server's files."""

from __future__ import annotations

from collections.abc import Iterator

from blackstart.model.address_book import DYNAMIC, Cell, Column
from blackstart.model.dhcp_facts import DhcpFacts, HostEntry
from blackstart.model.facts import SiteFacts
from blackstart.model.inventory import Guest, Inventory

NOBODY = "nobody looked"


def addresses_of(facts: SiteFacts, name: str, mac: str) -> tuple[str, ...] | None:
    """The addresses that a guest's own agent shows for a MAC; ``None`` when nobody knows."""
    guest = facts.guests.get(name)
    if guest is None or guest.interfaces.value is None:
        return None
    shown = guest.interfaces.value.items()
    found = [item for key, items in shown if key.lower() == mac for item in items]
    return tuple(address.partition("/")[0] for address in found)


def unread_cell(column: Column, source: str, error: str | None, note: str = "") -> Cell:
    """A source that said nothing, and why."""
    return Cell(column=column, source=source, error=error or NOBODY, note=note)


def reserved(inventory: Inventory, facts: SiteFacts, guest: Guest) -> Iterator[Cell]:
    """What MAAS keeps for the guest's MAC, and at its address for somebody else."""
    if inventory.maas is None:
        return
    if facts.maas is None:
        yield unread_cell("reserved", "MAAS", NOBODY)
        return
    seen = facts.maas.reservations
    if seen.value is None:
        yield unread_cell("reserved", seen.source, seen.error)
        return
    for item in seen.value:
        ours = item.mac == guest.mac
        if not ours and item.ip != str(guest.address):
            continue
        agrees = None if item.mac is None else ours and item.ip == str(guest.address)
        note = item.kind if ours or item.mac is None else f"{item.kind} for {item.mac}"
        yield Cell(column="reserved", says=(item.ip,), agrees=agrees, note=note, source=item.source)


def served(inventory: Inventory, facts: SiteFacts, name: str, guest: Guest) -> Iterator[Cell]:
    """Host entries and leases of the DHCP server, as cells of a guest's row."""
    if inventory.maas is None:
        return
    if inventory.maas.guest is None or inventory.maas.guest not in facts.dhcp:
        why = NOBODY if inventory.maas.guest else "the inventory names no guest of MAAS"
        yield unread_cell("host entry", "dhcpd", why)
        yield unread_cell("leased", "dhcpd", why)
        return
    server = facts.dhcp[inventory.maas.guest]
    yield from _entries(server, guest)
    yield from _leases(server, facts, name, guest)


def _entries(server: DhcpFacts, guest: Guest) -> Iterator[Cell]:
    recorded = {entry.name: entry for entry in server.recorded.value or ()}
    for seen, usual in ((server.declared, "dhcpd.conf"), (server.recorded, DYNAMIC)):
        if seen.value is None:
            yield unread_cell("host entry", seen.source, seen.error, usual)
        for entry in seen.value or ():
            if entry.deleted or not _concerns(entry, guest):
                continue
            note = usual if entry.mac == guest.mac else f"{usual}, for {entry.mac}"
            agrees = entry.mac == guest.mac and _leads_to(entry, guest)
            # dhcpd reads its lease file last: a deletion there takes the entry away.
            gone = seen is server.declared and entry.name in recorded
            if gone and recorded[entry.name].deleted:
                note, agrees = f"{usual}, deleted in the lease file", False
            yield Cell(
                column="host entry",
                says=entry.addresses,
                agrees=agrees,
                note=note,
                source=f"{seen.source} line {entry.line}",
            )


def _concerns(entry: HostEntry, guest: Guest) -> bool:
    return bool(entry.addresses) and (
        entry.mac == guest.mac or str(guest.address) in entry.addresses
    )


def _leads_to(entry: HostEntry, guest: Guest) -> bool:
    """A host name in ``fixed-address`` is one that dhcpd asks DNS for; DNS has its own column."""
    return bool({*entry.addresses} & {str(guest.address), *guest.names})


def _leases(server: DhcpFacts, facts: SiteFacts, name: str, guest: Guest) -> Iterator[Cell]:
    seen = server.leases
    if seen.value is None:
        yield unread_cell("leased", seen.source, seen.error)
        return
    own = addresses_of(facts, name, guest.mac)
    for lease in seen.value:
        ours = lease.mac == guest.mac
        if not lease.held_at(facts.taken_at) or not (ours or lease.address == str(guest.address)):
            continue
        agrees: bool | None = ours and lease.address == str(guest.address)
        note = "" if ours else f"for {lease.mac}"
        # Nobody gives a lease back on a restart: what a guest no longer uses runs out.
        if ours and own is not None and str(guest.address) in own and lease.address not in own:
            agrees, note = None, "left over"
        yield Cell(
            column="leased", says=(lease.address,), agrees=agrees, note=note, source=seen.source
        )
