"""What guests and machines serve: DNS, DHCP, Compose projects, services."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from blackstart.graph.growing import Growing, part_id
from blackstart.graph.guests import dhcp_servers
from blackstart.graph.names import behind
from blackstart.model.boot_graph import Part, PartKind
from blackstart.model.inventory import Service
from blackstart.model.subjects import subject


def add_served(grow: Growing) -> None:
    """Every declared server, project and service, on the guest or machine that carries it."""
    inventory = grow.given.inventory
    for name, server in (inventory.dns.servers if inventory.dns else {}).items():
        carried = _by(grow, f"inventory: dns.servers.{name}", server.guest, str(server.address))
        _served(grow, PartKind.DNS, name, carried)
    for name, dhcp in inventory.dhcp.items():
        carried = _by(grow, f"inventory: dhcp.{name}", dhcp.guest, str(dhcp.address))
        _served(grow, PartKind.DHCP, name, carried)
    for part, key in dhcp_servers(grow).items():
        if not grow.has(part):
            name = part.partition("/")[2]
            _served(grow, PartKind.DHCP, name, _by(grow, key, name, ""))
    for name, project in inventory.compose.items():
        carried = _by(grow, f"inventory: compose.{name}", project.guest, "")
        _served(grow, PartKind.COMPOSE, name, carried)
    for name, service in inventory.services.items():
        carried = _by(grow, f"inventory: services.{name}", service.guest, _address(service))
        _served(grow, PartKind.SERVICE, name, carried)


def _address(service: Service) -> str:
    """The address or name at which a service is asked."""
    if service.tcp is not None:
        return service.tcp.partition(":")[0]
    return urlsplit(service.http or "").hostname or ""


@dataclass(frozen=True, slots=True)
class _Carried:
    """What carries something, and what says so."""

    part: str
    evidence: tuple[str, ...]


def _by(grow: Growing, key: str, guest: str | None, address: str) -> _Carried:
    """The guest that an entry of the inventory names, else who has its address."""
    if guest is not None:
        return _Carried(subject("guest", guest), (f"{key}.guest {guest}", *_where(grow, guest)))
    part, known = behind(grow, address)
    return _Carried(part, (key, *([known] if known else [])))


def _served(grow: Growing, kind: PartKind, name: str, carried: _Carried) -> None:
    on, _, carrier = carried.part.partition("/")
    host, guest = None, None
    if on == PartKind.NODE:
        host = carrier
    elif on == PartKind.GUEST:
        guest, host = carrier, node_of(grow, carrier)
    part = grow.part(Part(id=part_id(kind, name), kind=kind, label=name, host=host, guest=guest))
    grow.needs(part, carried.part, "runs there", *carried.evidence)


def _where(grow: Growing, guest: str) -> tuple[str, ...]:
    """Where a guest is, as evidence."""
    facts = grow.given.facts.guests.get(guest)
    if facts is not None and facts.node.value is not None:
        return (f"{facts.node.source}: {guest} is on {facts.node.value}",)
    return (f"inventory: guests.{guest}.node {grow.given.inventory.guests[guest].node}",)


def node_of(grow: Growing, guest: str) -> str:
    """The node that a guest is on now; the declared one when nobody could see it."""
    facts = grow.given.facts.guests.get(guest)
    seen = facts.node.value if facts else None
    return seen or grow.given.inventory.guests[guest].node
