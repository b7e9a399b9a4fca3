"""From facts to the rows of the address book: each source's own say, and whether it agrees."""

from __future__ import annotations

from collections.abc import Iterator

from blackstart.model.address_book import Cell, Column, Row
from blackstart.model.address_keepers import (
    NOBODY,
    addresses_of,
    reserved,
    served,
    unread_cell,
)
from blackstart.model.facts import SiteFacts
from blackstart.model.guest_network import Configured, configured
from blackstart.model.inventory import Guest, Inventory
from blackstart.model.observed import Observed


def row_of(inventory: Inventory, facts: SiteFacts, name: str) -> Row:
    """The row of one guest."""
    guest = inventory.guests[name]
    settings = _settings(facts, name, guest)
    cells = [
        _configured(settings, guest),
        *reserved(inventory, facts, guest),
        *served(inventory, facts, name, guest),
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
        return unread_cell("configured", settings.source, settings.error)
    source = f"{settings.source}, {found.key}" if found.key else settings.source
    if found.mode == "static":
        says = (str(found.address),)
        agrees: bool | None = found.address == str(guest.address)
    else:
        says, agrees = (found.mode,), (False if found.mode == "no such card" else None)
    return Cell(column="configured", says=says, agrees=agrees, source=source)


def _seen(facts: SiteFacts, name: str, guest: Guest) -> Iterator[Cell]:
    """What the guest shows at its MAC, and whoever else shows its address."""
    shown = facts.guests[name].interfaces if name in facts.guests else None
    own = addresses_of(facts, name, guest.mac)
    if shown is None or own is None:
        source = shown.source if shown else "api"
        yield unread_cell("seen", source, shown.error if shown else NOBODY)
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
        return unread_cell(column, source, seen.error if seen is not None else NOBODY, note)
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
            yield unread_cell("certificate", source, error, key)
            continue
        verifies = seen.verified.value is not False
        yield Cell(
            column="certificate",
            says=seen.addresses.value,
            agrees=str(guest.address) in seen.addresses.value and verifies,
            note=key if verifies else f"{key}, which does not verify",
            source=seen.addresses.source,
        )
