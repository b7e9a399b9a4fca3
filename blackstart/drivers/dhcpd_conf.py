"""``dhcpd.conf``: host declarations, dynamic ranges, failover peers (dhcpd.conf(5)).

Only what gives addresses is read; that every other statement is one that dhcpd knows is
checked, so that a damaged word cannot make a declaration vanish.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network

from blackstart.drivers import dhcpd_values as values
from blackstart.drivers.dhcpd_grammar import Statement, statements
from blackstart.drivers.dhcpd_words import PARAMETERS
from blackstart.errors import Malformed
from blackstart.model.dhcp_facts import AddressRange, HostEntry

_HOLD_OTHERS = frozenset({"group", "pool", "shared-network", "subnet"})
# Blocks in which no host and no IPv4 range can stand.
_OPAQUE = frozenset(
    {"class", "else", "elsif", "failover", "if", "key", "on", "pool6"}
    | {"subclass", "subnet6", "switch", "zone"}
)


@dataclass(frozen=True, slots=True)
class Configuration:
    """What gives addresses. ``partners`` are failover peers that a pool really uses.

    ``lease_s`` is the longest lease in seconds that a client gets which asks for no length;
    ``None`` where the file leaves that to dhcpd.
    """

    hosts: tuple[HostEntry, ...]
    ranges: tuple[AddressRange, ...]
    partners: tuple[str, ...]
    lease_s: int | None


@dataclass(slots=True)
class _Found:
    hosts: dict[str, HostEntry] = field(default_factory=dict)
    networks: list[IPv4Network] = field(default_factory=list)
    ranges: list[tuple[AddressRange, int]] = field(default_factory=list)
    peers: set[str] = field(default_factory=set)
    used_peers: set[str] = field(default_factory=set)
    lease_times: list[int] = field(default_factory=list)


def read_configuration(text: str) -> Configuration:
    """What a configuration gives. Raises ``Malformed`` with the line of what dhcpd refuses.

    Also for ``include``: hosts and ranges may stand in the other file, which is not here.
    """
    found = _Found()
    for statement in statements(text):
        _read(statement, found)
    for item, line in found.ranges:
        _check_range(item, line, found.networks)
    return Configuration(
        hosts=tuple(found.hosts.values()),
        ranges=tuple(item for item, _ in found.ranges),
        partners=tuple(sorted(found.peers & found.used_peers)),
        lease_s=max(found.lease_times, default=None),
    )


def _read(statement: Statement, found: _Found) -> None:
    keyword = statement.keyword
    if keyword == "host":
        _host(statement, found)
    elif keyword == "failover":
        _failover(statement, found)
    elif keyword == "range":
        found.ranges.append((_range(statement), statement.line))
    elif keyword == "default-lease-time":
        found.lease_times.append(values.seconds(statement))
    elif keyword == "include":
        raise Malformed(statement.line, "it includes another file, which was not read")
    elif statement.block is not None and keyword in _HOLD_OTHERS:
        if keyword == "subnet":
            found.networks.append(_network(statement))
        for inner in statement.block:
            _read(inner, found)
    elif keyword not in (_OPAQUE if statement.block is not None else PARAMETERS):
        raise Malformed(statement.line, "no statement that dhcpd knows")


def _host(statement: Statement, found: _Found) -> None:
    entry = values.host_entry(statement, other=PARAMETERS, names=True)
    if entry.dynamic or entry.deleted:
        raise Malformed(entry.line, "only the lease file has dynamic and deleted host entries")
    if entry.name in found.hosts:
        raise Malformed(entry.line, "a second host of one name")
    found.hosts[entry.name] = entry


def _failover(statement: Statement, found: _Found) -> None:
    """``failover peer "name" { … }`` declares; ``failover peer "name";`` in a pool uses it."""
    given = statement.arguments
    if len(given) != 2 or given[0].lower() != "peer":
        raise Malformed(statement.line, "failover takes the word peer and a name")
    (found.used_peers if statement.block is None else found.peers).add(given[1].strip('"'))


def _range(statement: Statement) -> AddressRange:
    """``range [dynamic-bootp] first [last];``."""
    given = statement.arguments
    given = given[1:] if given[:1] == ("dynamic-bootp",) else given
    if len(given) not in (1, 2) or statement.block is not None:
        raise Malformed(statement.line, "range takes one or two addresses")
    first, last = (values.address(item, statement.line) for item in (given[0], given[-1]))
    if IPv4Address(first) > IPv4Address(last):
        raise Malformed(statement.line, "a range that ends before it begins")
    return AddressRange(first=first, last=last)


def _network(statement: Statement) -> IPv4Network:
    given = statement.arguments
    if len(given) != 3 or given[1].lower() != "netmask":
        raise Malformed(statement.line, "subnet takes an address, the word netmask and a mask")
    network, mask = (values.address(item, statement.line) for item in (given[0], given[2]))
    try:
        return IPv4Network(f"{network}/{mask}")
    except ValueError:
        raise Malformed(statement.line, "no subnet: its mask leaves bits of the address") from None


def _check_range(item: AddressRange, line: int, networks: list[IPv4Network]) -> None:
    first, last = IPv4Address(item.first), IPv4Address(item.last)
    if not any(first in network and last in network for network in networks):
        raise Malformed(line, "a range that lies in no subnet of the file")
