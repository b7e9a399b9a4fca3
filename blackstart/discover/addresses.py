"""A guest's address, by what is known of it; one that nobody knows is not made up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address

from blackstart.model.guest_network import cards, configured
from blackstart.model.maas_facts import Reservation
from blackstart.model.survey import GuestSeen

Reserved = Mapping[str, tuple[str, ...]]
"""Addresses that MAAS gives, by MAC."""


@dataclass(frozen=True, slots=True)
class Known:
    """An address and the card that has it. ``decide`` is what a person must look at."""

    address: str
    mac: str
    decide: str = ""


@dataclass(frozen=True, slots=True)
class Unknown:
    """Why there is no address."""

    why: str


def reserved_by_mac(reservations: Iterable[Reservation]) -> dict[str, tuple[str, ...]]:
    """What MAAS gives to each MAC at every start."""
    found: dict[str, set[str]] = {}
    for held in reservations:
        if held.mac is not None and held.fixes:
            found.setdefault(held.mac.lower(), set()).add(held.ip)
    return {mac: tuple(sorted(addresses)) for mac, addresses in found.items()}


def address_of(guest: GuestSeen, reserved: Reserved) -> Known | Unknown:
    """Seen inside the guest, else as it is configured, else as MAAS reserves it."""
    config = guest.facts.config
    if config.value is None:
        return Unknown(f"its configuration is not known: {config.error}")
    macs = cards(config.value)
    if not macs:
        return Unknown("it has no network card")
    seen = guest.facts.interfaces.value or {}
    for mac in macs:
        found = sorted(filter(None, map(_usable, seen.get(mac, ()))))
        if found:
            return _seen(guest, mac, found, reserved.get(mac, ()))
    for mac in macs:
        static = configured(guest.kind, config.value, mac)
        address = _usable(static.address or "")
        if address is not None:
            return Known(str(address), mac, f"configured ({static.key}), and not seen in the guest")
    for mac in macs:
        given = list(filter(None, map(_usable, reserved.get(mac, ()))))
        if len(given) == 1:
            return Known(str(given[0]), mac, "reserved by MAAS, and not seen in the guest")
    return Unknown(_nowhere(guest))


def _seen(guest: GuestSeen, mac: str, found: list[IPv4Address], reserved: tuple[str, ...]) -> Known:
    """Of several, the one that is configured or reserved, else the lowest."""
    static = configured(guest.kind, guest.facts.config.value or {}, mac).address
    kept = [address for address in found if str(address) in (static, *reserved)]
    chosen = (kept or found)[0]
    others = ", ".join(str(address) for address in found if address != chosen)
    return Known(str(chosen), mac, f"it has {others} as well; which must it keep?" * bool(others))


def _usable(text: str) -> IPv4Address | None:
    try:
        address = IPv4Address(text)
    except AddressValueError:
        return None
    special = address.is_link_local or address.is_loopback or address.is_unspecified
    return None if special else address


def _nowhere(guest: GuestSeen) -> str:
    """What keeps the address from being seen."""
    facts = guest.facts
    if facts.status.value == "stopped":
        return "it is off, and its address stands in no configuration and no reservation"
    if facts.interfaces.value is None:
        return f"its addresses are not known: {facts.interfaces.error}"
    return "it shows no IPv4 address"
