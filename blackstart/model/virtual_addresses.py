"""Addresses that move between machines by themselves: who shows one, and facts without them.

VRRP puts its address on a card of whoever is master, beside the machine's own or on a card of
its own whose MAC is the group's (RFC 5798, 7.3: 00-00-5E-00-01-{VRID}). Such an address is
the same wherever it is, so it is compared by itself and never as part of a machine.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from blackstart.model.facts import GuestFacts, HostFacts, SiteFacts
from blackstart.model.inventory import Inventory
from blackstart.model.observed import Observed

Cards = Mapping[str, tuple[str, ...]]

_OF_A_GROUP = ("00:00:5e:00:01:", "vrrp.")
"""MACs of VRRP's own cards, and what keepalived(8) calls these (``vrrp.VRID``)."""


def virtual_of(inventory: Inventory, name: str) -> frozenset[str]:
    """The virtual addresses that may stand on a card of this node or guest."""
    declared = inventory.virtual_addresses.values()
    return frozenset(str(it.address) for it in declared if not it.held_by or name in it.held_by)


def cards_of(facts: SiteFacts, name: str) -> Observed[dict[str, tuple[str, ...]]] | None:
    """A node's addresses by interface, a guest's by MAC; ``None`` for one nobody looked at."""
    if name in facts.hosts:
        return facts.hosts[name].addresses
    return facts.guests[name].interfaces if name in facts.guests else None


def plain(address: str) -> str:
    """An address without its prefix."""
    return address.partition("/")[0]


def without_virtual(inventory: Inventory, facts: SiteFacts) -> SiteFacts:
    """The same facts, each machine with its own addresses alone."""
    if not inventory.virtual_addresses:
        return facts
    hosts = {name: _host(host, virtual_of(inventory, name)) for name, host in facts.hosts.items()}
    guests = {name: _guest(it, virtual_of(inventory, name)) for name, it in facts.guests.items()}
    return facts.model_copy(update={"hosts": hosts, "guests": guests})


def _host(host: HostFacts, virtual: frozenset[str]) -> HostFacts:
    return host.model_copy(update={"addresses": _own(host.addresses, virtual)})


def _guest(guest: GuestFacts, virtual: frozenset[str]) -> GuestFacts:
    return guest.model_copy(update={"interfaces": _own(guest.interfaces, virtual)})


def _own(
    seen: Observed[dict[str, tuple[str, ...]]], virtual: frozenset[str]
) -> Observed[dict[str, tuple[str, ...]]]:
    if seen.value is None or not virtual:
        return seen
    return seen.model_copy(update={"value": dict(_cards(seen.value, virtual))})


def _cards(cards: Cards, virtual: frozenset[str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Cards with what is their own; VRRP's own cards are there only while they are master's."""
    for card, addresses in cards.items():
        own = tuple(address for address in addresses if plain(address) not in virtual)
        if own or not card.lower().startswith(_OF_A_GROUP):
            yield card, own
