"""``dhcpd.leases``: an append log of leases and of host entries made while the server ran.

Of each address and each name the last record holds; an update of a host entry is a record
that deletes it and a new one (dhcpd.leases(5); server/db.c of ISC DHCP 4.4.3-P1).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from blackstart.drivers import dhcpd_values as values
from blackstart.drivers.dhcpd_grammar import Statement, statements
from blackstart.drivers.dhcpd_words import EXECUTABLE
from blackstart.errors import Malformed
from blackstart.model.dhcp_facts import HostEntry, Lease

STATES = frozenset({"free", "active", "expired", "released", "abandoned", "reset", "backup"})
_TIMES = frozenset({"starts", "ends", "tstp", "tsfp", "atsfp", "cltt"})
_BINDINGS = frozenset({"binding", "next", "rewind"})
_TAKEN = frozenset({"hardware", "uid", "client-hostname", *_TIMES, *_BINDINGS})
_OTHERS_OF_LEASE = EXECUTABLE | {"billing", "bootp", "dynamic-bootp", "reserved"}
_OTHERS_OF_HOST = EXECUTABLE | {"group", "uid"}
_OTHER_RECORDS = frozenset(
    {"authoring-byte-order", "class", "failover", "group", "server-duid", "subclass"}
    | {"ia-na", "ia-pd", "ia-ta"}
)
# As db.c writes what a client's request left: a string, a number, octets.
_SET = re.compile(r"""[\w.-]+ = (?:".*"|[\w:-]+)""", re.ASCII)


@dataclass(frozen=True, slots=True)
class LeaseFile:
    """The last record of each address and of each host name; deleted hosts are kept as such."""

    leases: tuple[Lease, ...]
    hosts: tuple[HostEntry, ...]


def read_leases(text: str) -> LeaseFile:
    """What a lease file says. Raises ``Malformed`` with the line where it is damaged.

    A file that was cut off between two records reads as the file that it was then.
    """
    leases: dict[str, Lease] = {}
    hosts: dict[str, HostEntry] = {}
    for record in statements(text):
        if record.keyword == "lease":
            lease = _lease(record)
            leases[lease.address] = lease
        elif record.keyword == "host":
            host = _host(record)
            _check_update(hosts.get(host.name), host)
            hosts[host.name] = host
        elif record.keyword not in _OTHER_RECORDS:
            raise Malformed(record.line, "no record that dhcpd writes")
    return LeaseFile(tuple(leases.values()), tuple(hosts.values()))


def _host(record: Statement) -> HostEntry:
    host = values.host_entry(record, other=_OTHERS_OF_HOST, names=False)
    identified = host.mac is not None or any(
        item.keyword in ("uid", "hardware") for item in record.block or ()
    )
    if host.deleted and (identified or host.addresses):
        raise Malformed(host.line, "a deleted host entry that still has an address")
    if not host.deleted and not host.dynamic:
        raise Malformed(host.line, "a host entry that is neither dynamic nor deleted")
    if not host.deleted and not identified:
        raise Malformed(host.line, "a host entry without hardware or uid")
    return host


def _check_update(was: HostEntry | None, now: HostEntry) -> None:
    """dhcpd deletes what it made, and makes a name again only after that.

    Of two entries of a name it would keep the first (mdb.c, ``enter_host``). A deletion that
    is not ``dynamic`` is of an entry in ``dhcpd.conf``.
    """
    if was is None and now.deleted and now.dynamic:
        raise Malformed(now.line, "the deletion of a host entry that the file never made")
    if was is None or was.deleted or now.deleted:
        return
    if (was.mac, was.addresses) != (now.mac, now.addresses):
        raise Malformed(now.line, f"a second host entry of a name; the first is in line {was.line}")


def _lease(record: Statement) -> Lease:
    if record.block is None or len(record.arguments) != 1:
        raise Malformed(record.line, "lease takes one address and a block")
    found: dict[str, Statement] = {}
    for item in record.block:
        if item.keyword in _TAKEN:
            found[item.keyword] = values.once(found.get(item.keyword), item)
        elif item.keyword not in _OTHERS_OF_LEASE:
            raise Malformed(item.line, "no statement that dhcpd knows in a lease block")
        elif item.keyword == "set":
            _check_set(item)
    times = {name: values.moment(found[name]) for name in _TIMES & found.keys()}
    states = {name: _state(found[name]) for name in _BINDINGS & found.keys()}
    if "binding" not in states:
        raise Malformed(record.line, "a lease without a binding state")
    if states["binding"] == "active" and not ("ends" in times and {"hardware", "uid"} & {*found}):
        raise Malformed(record.line, "an active lease without its end or its client")
    return Lease(
        address=values.address(record.arguments[0], record.line),
        mac=values.hardware(found["hardware"]) if "hardware" in found else None,
        hostname=_text(found["client-hostname"]) if "client-hostname" in found else None,
        starts=times.get("starts"),
        ends=times.get("ends"),
        state=states["binding"],
    )


def _check_set(statement: Statement) -> None:
    """dhcpd gives up the whole lease where this is damaged ("possibly corrupt lease file")."""
    given = statement.arguments
    if len(given) != 3 or not _SET.fullmatch(" ".join(given)):
        raise Malformed(statement.line, "set takes a name, an equals sign and one value")


def _state(statement: Statement) -> str:
    before = ("state",) if statement.keyword == "binding" else ("binding", "state")
    given = tuple(word.lower() for word in statement.arguments)
    if given[:-1] != before or given[-1] not in STATES or statement.block is not None:
        raise Malformed(statement.line, "no binding state that dhcpd knows")
    return given[-1]


def _text(statement: Statement) -> str:
    (text,) = values.words(statement, 1)
    return text.strip('"')
