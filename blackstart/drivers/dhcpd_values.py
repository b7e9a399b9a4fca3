"""Values of single statements in ISC dhcpd's files; what is no value is ``Malformed``."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from ipaddress import AddressValueError, IPv4Address

from blackstart.drivers.dhcpd_grammar import Statement
from blackstart.errors import Malformed
from blackstart.model.dhcp_facts import HostEntry

_HARDWARE_TYPES = ("ethernet", "token-ring", "fddi", "infiniband")
_OCTETS = re.compile(r"[0-9a-f]{1,2}(:[0-9a-f]{1,2})*", re.IGNORECASE)
# A name begins with a letter (confpars.c, parse_ip_addr_or_hostname): a damaged address is
# not taken for one.
_HOST = re.compile(r"[a-z]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9])?)*", re.IGNORECASE)
_ENTRY_NAME = re.compile(r"[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?", re.IGNORECASE)
_TIME = re.compile(r"([0-9]{4})/([0-9]{1,2})/([0-9]{1,2}) ([0-9]{1,2}):([0-9]{2}):([0-9]{2})")
_NEVER = "never"


def once(found: Statement | None, statement: Statement) -> Statement:
    """The statement. Raises ``Malformed`` when the same one was found before."""
    if found is not None:
        raise Malformed(statement.line, f"a second {statement.keyword} in one block")
    return statement


def alone(statement: Statement) -> Statement:
    """A statement of one word. Raises ``Malformed`` when there are more, or a block."""
    if statement.arguments or statement.block is not None:
        raise Malformed(statement.line, f"{statement.keyword} takes no value")
    return statement


def words(statement: Statement, count: int) -> tuple[str, ...]:
    """The arguments, which must be so many. Raises ``Malformed`` else."""
    if len(statement.arguments) != count or statement.block is not None:
        raise Malformed(statement.line, f"{statement.keyword} takes {count} words")
    return statement.arguments


def seconds(statement: Statement) -> int:
    """A length of time, at least a second. Raises ``Malformed`` for anything else."""
    (text,) = words(statement, 1)
    if not re.fullmatch(r"[1-9][0-9]{0,9}", text):
        raise Malformed(statement.line, f"{statement.keyword} takes a number of seconds")
    return int(text)


def address(text: str, line: int) -> str:
    """An IPv4 address in four decimal parts. Raises ``Malformed`` for anything else."""
    try:
        return str(IPv4Address(text))
    except AddressValueError:
        raise Malformed(line, "no IPv4 address where one belongs") from None


def hardware(statement: Statement) -> str | None:
    """The MAC in small letters; ``None`` for hardware that is no Ethernet."""
    kind, octets = words(statement, 2)
    # db.c writes types that it has no name for as unknown-N.
    if kind.lower() not in _HARDWARE_TYPES and not re.fullmatch(r"unknown-[0-9]{1,3}", kind):
        raise Malformed(statement.line, "no type of hardware that dhcpd knows")
    if not _OCTETS.fullmatch(octets):
        raise Malformed(statement.line, "no hardware address where one belongs")
    if kind.lower() != "ethernet":
        return None
    parts = [part.zfill(2) for part in octets.lower().split(":")]
    if len(parts) != 6:
        raise Malformed(statement.line, "no MAC address: it has not six octets")
    return ":".join(parts)


def fixed_addresses(statement: Statement, *, names: bool) -> tuple[str, ...]:
    """What ``fixed-address`` lists; host names only where ``names`` are allowed."""
    given = statement.arguments
    if not given or statement.block is not None or any(item != "," for item in given[1::2]):
        raise Malformed(statement.line, "fixed-address takes addresses with commas between")
    if len(given) % 2 == 0:
        raise Malformed(statement.line, "fixed-address ends with a comma")
    return tuple(
        item.lower() if names and _HOST.fullmatch(item) else address(item, statement.line)
        for item in given[::2]
    )


def entry_name(statement: Statement) -> str:
    """The name of a ``host`` block, as written. Raises ``Malformed`` when it is none."""
    given = statement.arguments
    if len(given) != 1:
        raise Malformed(statement.line, "host takes one name")
    name = given[0].strip('"')
    if not _ENTRY_NAME.fullmatch(name):
        raise Malformed(statement.line, "no host name where one belongs")
    return name


def moment(statement: Statement) -> float | None:
    """A time of dhcpd.leases(5), in seconds since the epoch; ``None`` for ``never``.

    ``W YYYY/MM/DD HH:MM:SS`` is always UTC; ``epoch N`` is ``db-time-format local``.
    """
    given = statement.arguments
    if given == (_NEVER,) and statement.block is None:
        return None
    if len(given) == 2 and given[0].lower() == "epoch" and re.fullmatch(r"[0-9]{1,11}", given[1]):
        return float(given[1])
    found = _TIME.fullmatch(" ".join(given[1:]))
    if found is None or not re.fullmatch("[0-6]", given[0]) or statement.block is not None:
        raise Malformed(statement.line, f"no time after {statement.keyword}")
    try:
        year, month, day, hour, minute, second = map(int, found.groups())
        when = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        raise Malformed(statement.line, f"no time after {statement.keyword}") from None
    if when.isoweekday() % 7 != int(given[0]):
        raise Malformed(statement.line, f"{statement.keyword}: the date is no such day of the week")
    return when.timestamp()


def host_entry(statement: Statement, *, other: frozenset[str], names: bool) -> HostEntry:
    """A ``host`` block. ``other`` are the keywords that may stand in it and say no address.

    Raises ``Malformed`` for any other keyword: one mistyped letter must not hide an address.
    """
    if statement.block is None:
        raise Malformed(statement.line, "host without a block")
    name = entry_name(statement)
    found: dict[str, Statement] = {}
    for inner in statement.block:
        if inner.keyword in ("hardware", "fixed-address", "dynamic", "deleted"):
            found[inner.keyword] = once(found.get(inner.keyword), inner)
        elif inner.keyword not in other:
            raise Malformed(inner.line, "no statement that dhcpd knows in a host block")
    for flag in ("dynamic", "deleted"):
        if flag in found:
            alone(found[flag])
    mac, fixed = found.get("hardware"), found.get("fixed-address")
    return HostEntry(
        name=name,
        mac=hardware(mac) if mac else None,
        addresses=fixed_addresses(fixed, names=names) if fixed else (),
        dynamic="dynamic" in found,
        deleted="deleted" in found,
        line=statement.line,
    )
