"""Who resolves a name for a host, and who is behind it.

A name that is in no host table waits for any one of the resolvers that know it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_address

from blackstart.graph.growing import Growing, part_id
from blackstart.graph.inputs import NOBODY
from blackstart.graph.spec import is_address
from blackstart.model.boot_graph import Part, PartKind
from blackstart.model.inventory import Inventory

TABLE = "/etc/hosts"
RESOLVERS = "/etc/resolv.conf"


@dataclass(frozen=True, slots=True)
class Asked:
    """A resolver that may answer: its part, and the two places that say so."""

    part: str
    evidence: tuple[str, ...]


def need_server(grow: Growing, host: str, asker: str, server: str, *evidence: str) -> None:
    """``asker``, on ``host``, needs whoever ``server`` (an address or a name) is, and its name."""
    part, known = behind(grow, server)
    grow.needs(asker, part, f"asks {server}", *evidence, *([known] if known else []))
    if not is_address(server) and _in_table(grow, host, server) is None:
        name = _name(grow, host, full_name(grow.given.inventory, server))
        grow.needs(asker, name, f"names its server {server}", *evidence)


def full_name(inventory: Inventory, name: str) -> str:
    """A name as resolvers are asked: a short one within the site's domain."""
    name = name.rstrip(".").lower()
    return name if "." in name else f"{name}.{inventory.domain}"


def behind(grow: Growing, server: str) -> tuple[str, str | None]:
    """The machine or guest that an address or a name stands for, and what says so.

    A name is what the inventory declares, else what a resolver says. Whoever is not declared
    is outside, and nothing says more of it.
    """
    if is_address(server):
        return grow.at_address(server)
    inventory, facts = grow.given.inventory, grow.given.facts
    fqdn = full_name(inventory, server)
    declared = inventory.dns.names.get(fqdn) if inventory.dns else None
    if declared is not None:
        part, known = grow.at_address(str(declared.addresses[0]))
        return part, known and f"inventory: dns.names.{fqdn}"
    for asked, answer in facts.names.items():
        if asked.partition("/")[2] == fqdn and answer.value:
            part, known = grow.at_address(answer.value[0])
            return part, known and f"{answer.source}: {answer.value[0]}"
    short = fqdn.removesuffix(f".{inventory.domain}")
    if short in inventory.nodes:
        return part_id(PartKind.NODE, short), f"inventory: nodes.{short}"
    return grow.outside(server), None


def _in_table(grow: Growing, host: str, server: str) -> str | None:
    """File and line by which the host itself knows a name."""
    names = grow.given.names.get(host)
    table = (names.table.value if names else None) or {}
    fqdn = full_name(grow.given.inventory, server)
    return table.get(server.rstrip(".").lower()) or table.get(fqdn)


def _name(grow: Growing, host: str, fqdn: str) -> str:
    """The part that a name is for one host, with the resolvers that this host has."""
    name = part_id(PartKind.NAME, f"{fqdn} for {host}")
    if grow.has(name):
        return name
    grow.part(Part(id=name, kind=PartKind.NAME, label=fqdn, host=host, at_least=1))
    for asked in _resolvers(grow, host, fqdn, name):
        grow.needs(name, asked.part, f"resolves {fqdn} for {host}", *asked.evidence)
    return name


def _resolvers(grow: Growing, host: str, fqdn: str, name: str) -> Iterator[Asked]:
    """Those of the host that know the name; the declared ones where the host's are not read."""
    given = grow.given
    names = given.names.get(host)
    if names is None or not names.table.known:
        source = names.table.source if names else f"ssh {host}: {TABLE}"
        grow.unknown(name, f"whether {host} knows it without DNS", source)
    own = names.resolvers if names else None
    if own is None or own.value is None or all(_is_stub(item) for item in own.value):
        source = own.source if own else f"ssh {host}: {RESOLVERS}"
        why = (own.error if own else NOBODY) or "only a resolver of its own is named there"
        grow.unknown(name, f"whom {host} asks is not known ({why})", source)
        yield from _declared(grow, fqdn, None)
        return
    for resolver in own.value:
        said = f"{own.source}: {resolver}"
        known = list(_declared(grow, fqdn, resolver, said))
        yield from known
        if not known and not _is_declared(given.inventory, resolver):
            what = f"whether {resolver} knows {fqdn}: the inventory does not declare it"
            grow.unknown(name, what, own.source)
            yield Asked(grow.outside(resolver), (said,))


def _declared(grow: Growing, fqdn: str, address: str | None, *evidence: str) -> Iterator[Asked]:
    """Declared servers (at an address) that answered the name, or were not asked for it."""
    dns = grow.given.inventory.dns
    for server, declared in (dns.servers if dns else {}).items():
        if address is not None and str(declared.address) != address:
            continue
        answer = grow.given.facts.names.get(f"{server}/{fqdn}")
        if answer is not None and answer.known and not answer.value:
            continue  # it was asked and does not know the name
        said = f"{answer.source}: {', '.join(answer.value)}" if answer and answer.value else None
        yield Asked(
            part_id(PartKind.DNS, server),
            (*evidence, said or f"inventory: dns.servers.{server}"),
        )


def _is_declared(inventory: Inventory, address: str) -> bool:
    servers = inventory.dns.servers.values() if inventory.dns else ()
    return any(str(server.address) == address for server in servers)


def _is_stub(address: str) -> bool:
    """Whether a resolver is the host's own stub, behind which others are (resolved.conf(5))."""
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False
