"""From facts to the rows of the address book: each source's own say, and whether it agrees."""

from __future__ import annotations

from collections.abc import Iterator

from blackstart.model.address_book import DYNAMIC, Cell, Column, Row
from blackstart.model.dhcp_facts import DhcpFacts, HostEntry
from blackstart.model.facts import SiteFacts
from blackstart.model.guest_network import Configured, configured
from blackstart.model.inventory import Guest, Inventory
from blackstart.model.observed import Observed

NOBODY = "nobody looked"


def row_of(inventory: Inventory, facts: SiteFacts, name: str) -> Row:
    """The row of one guest."""
    guest = inventory.guests[name]
    settings = _settings(facts, name, guest)
    cells = [
        _configured(settings, guest),
        *_reserved(inventory, facts, guest),
        *_served(inventory, facts, name, guest),
        *_seen(facts, name, guest),
        *_forward(inventory, facts, guest),
        *_reverse(inventory, facts, guest),
        *_certificates(inventory, facts, name, guest),
    ]
    return Row(
        guest=name,
        mac=guest.mac,
        declared=str(guest.address),
        configured=settings.value,
        cells=tuple(cells),
    )


def addresses_of(facts: SiteFacts, name: str, mac: str) -> tuple[str, ...] | None:
    """The addresses that a guest's own agent shows for a MAC; ``None`` when nobody knows."""
    guest = facts.guests.get(name)
    if guest is None or guest.interfaces.value is None:
        return None
    shown = guest.interfaces.value.items()
    found = [item for key, items in shown if key.lower() == mac for item in items]
    return tuple(address.partition("/")[0] for address in found)


def _unread(column: Column, source: str, error: str | None, note: str = "") -> Cell:
    return Cell(column=column, source=source, error=error or NOBODY, note=note)


def _settings(facts: SiteFacts, name: str, guest: Guest) -> Observed[Configured]:
    seen = facts.guests.get(name)
    if seen is None:
        return Observed(source="api", error=NOBODY)
    if seen.config.value is None:
        return Observed(source=seen.config.source, error=seen.config.error or NOBODY)
    found = configured(guest.kind, seen.config.value, guest.mac)
    return Observed(source=seen.config.source, value=found)


def _configured(settings: Observed[Configured], guest: Guest) -> Cell:
    found = settings.value
    if found is None:
        return _unread("configured", settings.source, settings.error)
    source = f"{settings.source}, {found.key}" if found.key else settings.source
    if found.mode == "static":
        says = (str(found.address),)
        agrees: bool | None = found.address == str(guest.address)
    else:
        says, agrees = (found.mode,), (False if found.mode == "no such card" else None)
    return Cell(column="configured", says=says, agrees=agrees, source=source)


def _reserved(inventory: Inventory, facts: SiteFacts, guest: Guest) -> Iterator[Cell]:
    """What MAAS keeps for the guest's MAC, and at its address for somebody else."""
    if inventory.maas is None:
        return
    if facts.maas is None:
        yield _unread("reserved", "MAAS", NOBODY)
        return
    seen = facts.maas.reservations
    if seen.value is None:
        yield _unread("reserved", seen.source, seen.error)
        return
    for item in seen.value:
        ours = item.mac == guest.mac
        if not ours and item.ip != str(guest.address):
            continue
        agrees = None if item.mac is None else ours and item.ip == str(guest.address)
        note = item.kind if ours or item.mac is None else f"{item.kind} for {item.mac}"
        yield Cell(column="reserved", says=(item.ip,), agrees=agrees, note=note, source=item.source)


def _served(inventory: Inventory, facts: SiteFacts, name: str, guest: Guest) -> Iterator[Cell]:
    """Host entries and leases of the DHCP server."""
    if inventory.maas is None:
        return
    if inventory.maas.guest is None or inventory.maas.guest not in facts.dhcp:
        why = NOBODY if inventory.maas.guest else "the inventory names no guest of MAAS"
        yield _unread("host entry", "dhcpd", why)
        yield _unread("leased", "dhcpd", why)
        return
    server = facts.dhcp[inventory.maas.guest]
    yield from _entries(server, guest)
    yield from _leases(server, facts, name, guest)


def _entries(server: DhcpFacts, guest: Guest) -> Iterator[Cell]:
    recorded = {entry.name: entry for entry in server.recorded.value or ()}
    for seen, usual in ((server.declared, "dhcpd.conf"), (server.recorded, DYNAMIC)):
        if seen.value is None:
            yield _unread("host entry", seen.source, seen.error, usual)
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
        yield _unread("leased", seen.source, seen.error)
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


def _seen(facts: SiteFacts, name: str, guest: Guest) -> Iterator[Cell]:
    """What the guest shows at its MAC, and whoever else shows its address."""
    shown = facts.guests[name].interfaces if name in facts.guests else None
    own = addresses_of(facts, name, guest.mac)
    if shown is None or own is None:
        source = shown.source if shown else "api"
        yield _unread("seen", source, shown.error if shown else NOBODY)
    else:
        agrees = str(guest.address) in own
        yield Cell(column="seen", says=own, agrees=agrees, source=shown.source)
    for other, seen in facts.guests.items():
        for mac in (seen.interfaces.value or {}) if other != name else ():
            if str(guest.address) in (addresses_of(facts, other, mac.lower()) or ()):
                yield Cell(
                    column="seen",
                    says=(str(guest.address),),
                    agrees=False,
                    note=f"on {other}, {mac}",
                    source=seen.interfaces.source,
                )


def _forward(inventory: Inventory, facts: SiteFacts, guest: Guest) -> Iterator[Cell]:
    """Every server's answer to every declared name, and MAAS' own records of it."""
    dns = inventory.dns
    asked = [name for name in guest.names if dns is not None and name in dns.names]
    for server in dns.servers if dns is not None else ():
        for name in asked:
            seen = facts.names.get(f"{server}/{name}")
            yield _answer("DNS", seen, f"{name} at {server}", {str(guest.address)})
    records = facts.maas.dns_records.value if facts.maas is not None else None
    for record in records or ():
        if record.rrtype == "A" and record.fqdn.rstrip(".").lower() in guest.names:
            yield Cell(
                column="DNS",
                says=(record.value,),
                agrees=record.value == str(guest.address),
                note=f"{record.fqdn} in MAAS",
                source=facts.maas.dns_records.source if facts.maas is not None else "",
            )


def _reverse(inventory: Inventory, facts: SiteFacts, guest: Guest) -> Iterator[Cell]:
    if inventory.dns is None or not guest.names:
        return
    for server in inventory.dns.servers:
        seen = facts.reverse.get(f"{server}/{guest.address}")
        yield _answer("reverse", seen, f"at {server}", {*guest.names})


def _answer(
    column: Column, seen: Observed[tuple[str, ...]] | None, note: str, wanted: set[str]
) -> Cell:
    if seen is None or seen.value is None:
        source = seen.source if seen is not None else "dns"
        return _unread(column, source, seen.error if seen is not None else NOBODY, note)
    agrees = bool(wanted & {*seen.value})
    return Cell(column=column, says=seen.value, agrees=agrees, note=note, source=seen.source)


def _certificates(
    inventory: Inventory, facts: SiteFacts, name: str, guest: Guest
) -> Iterator[Cell]:
    for key, declared in inventory.certificates.items():
        if declared.guest != name:
            continue
        seen = facts.certificates.get(key)
        if seen is None or seen.addresses.value is None:
            source = seen.addresses.source if seen is not None else "tls"
            error = seen.addresses.error if seen is not None else NOBODY
            yield _unread("certificate", source, error, key)
            continue
        verifies = seen.verified.value is not False
        yield Cell(
            column="certificate",
            says=seen.addresses.value,
            agrees=str(guest.address) in seen.addresses.value and verifies,
            note=key if verifies else f"{key}, which does not verify",
            source=seen.addresses.source,
        )
