"""What MAAS' answers say of addresses and names: pure functions from its JSON to facts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any

from blackstart.drivers.maas_answers import Json, flag, records, understood
from blackstart.errors import Rejected
from blackstart.model.maas_facts import (
    DnsRecord,
    DynamicRange,
    Interface,
    Link,
    MaasNode,
    Reservation,
    ReservationKind,
    Subnet,
)

# IPADDRESS_TYPE of maasserver/enum.py. 5 (DHCP) and 6 (Observed) keep nothing for anybody: they
# are what a lease showed.
_KINDS: dict[int, ReservationKind] = {0: "auto-link", 1: "static-link", 4: "ipaddress"}
_SEEN_ONLY = frozenset({5, 6})


@understood
def reserved_ips(answer: object, source: str) -> tuple[Reservation, ...]:
    """``reservedips/`` (from 3.6)."""
    return tuple(
        Reservation(
            ip=str(_address(entry["ip"])),
            kind="reservedip",
            mac=_mac(entry["mac_address"]),
            hostname=None,
            subnet=_id(entry["subnet"]),
            source=source,
        )
        for entry in records(answer)
    )


@understood
def ip_addresses(answer: object, source: str) -> tuple[Reservation, ...]:
    """``ipaddresses/?all=true``, one for each interface behind an address."""
    found = []
    for entry in records(answer):
        kind = entry["alloc_type"]
        if kind in _SEEN_ONLY:
            continue
        if kind in _KINDS and entry["ip"] is None:
            continue  # a card that is only up, or an automatic link of a released machine
        if kind not in _KINDS:
            raise ValueError(f"alloc_type {kind!r} of {entry['ip']}")
        macs = [_mac(card["mac_address"]) for card in records(entry["interface_set"])]
        found += [
            Reservation(
                ip=str(_address(entry["ip"])),
                kind=_KINDS[kind],
                mac=mac,
                hostname=None,
                subnet=_id(entry["subnet"]),
                source=source,
            )
            for mac in macs or [None]
        ]
    return tuple(found)


def named(
    reservations: Iterable[Reservation], nodes: Iterable[MaasNode]
) -> tuple[Reservation, ...]:
    """The reservations with the host name of the machine or device that has their MAC."""
    hostnames = {
        card.mac: node.hostname
        for node in nodes
        for card in node.interfaces
        if card.mac is not None
    }
    return tuple(
        held.model_copy(update={"hostname": hostnames.get(held.mac) if held.mac else None})
        for held in reservations
    )


@understood
def machines(answer: object) -> tuple[MaasNode, ...]:
    """``machines/``."""
    return tuple(_node(entry, "machine") for entry in records(answer))


@understood
def devices(answer: object) -> tuple[MaasNode, ...]:
    """``devices/``."""
    return tuple(_node(entry, "device") for entry in records(answer))


def _node(entry: Json, kind: str) -> MaasNode:
    return MaasNode.model_validate(
        {
            "system_id": entry["system_id"],
            "kind": kind,
            "hostname": entry["hostname"],
            "fqdn": entry["fqdn"],
            "interfaces": tuple(_interface(card) for card in records(entry["interface_set"])),
        }
    )


def _interface(entry: Json) -> Interface:
    return Interface(
        name=entry["name"],
        mac=_mac(entry["mac_address"]),
        links=tuple(
            Link(
                mode=link["mode"],
                address=str(_address(link["ip_address"])) if link.get("ip_address") else None,
                subnet=_id(link.get("subnet")),
            )
            for link in records(entry["links"])
        ),
    )


@understood
def subnets(answer: object) -> tuple[Subnet, ...]:
    """``subnets/``. Raises ``Rejected`` when there is none: MAAS stands in one itself."""
    found = tuple(
        Subnet(
            id=entry["id"],
            name=entry["name"],
            cidr=entry["cidr"],
            managed=flag(entry["managed"]),
            dhcp_on=flag(entry["vlan"]["dhcp_on"]),
            racks=tuple(
                str(entry["vlan"][role])
                for role in ("primary_rack", "secondary_rack")
                if entry["vlan"][role]
            ),
            gateway=entry["gateway_ip"],
            dns_servers=tuple(entry["dns_servers"] or ()),
        )
        for entry in records(answer)
    )
    if not found:
        raise Rejected("the list of subnets is empty")
    return found


@understood
def dynamic_ranges(subnet: int, answer: object) -> tuple[DynamicRange, ...]:
    """``subnets/{id}/?op=reserved_ip_ranges``.

    MAAS cuts a range at every address in it that has another purpose too; here the pieces
    that touch are one again.
    """
    pieces = sorted(
        (_address(entry["start"]), _address(entry["end"]))
        for entry in records(answer)
        if "dynamic" in entry["purpose"]
    )
    whole: list[tuple[Any, Any]] = []
    for first, last in pieces:
        if whole and whole[-1][1] + 1 == first:
            whole[-1] = (whole[-1][0], last)
        else:
            whole.append((first, last))
    return tuple(
        DynamicRange(subnet=subnet, first=str(first), last=str(last)) for first, last in whole
    )


@understood
def dns_records(answer: object) -> tuple[DnsRecord, ...]:
    """``dnsresources/?all=true``, each record once.

    A record that a person made is in the answer twice: among the implicit ones, without an
    id of its own (-1), and as itself.
    """
    found: dict[tuple[str, str, str], DnsRecord] = {}
    for entry in records(answer):
        for record in _records_of(entry):
            found.setdefault((record.fqdn, record.rrtype, record.value), record)
    return tuple(found.values())


def _records_of(entry: Json) -> Iterator[DnsRecord]:
    own = entry["id"] if entry["id"] > 0 else None
    for record in records(entry["resource_records"]):
        yield DnsRecord(
            fqdn=entry["fqdn"],
            rrtype=record["rrtype"],
            value=record["rrdata"],
            node=record.get("system_id"),
            resource=record.get("dnsresource_id") or own,
        )
    for held in records(entry["ip_addresses"] or []):
        if held["ip"]:
            address = _address(held["ip"])
            yield DnsRecord(
                fqdn=entry["fqdn"],
                rrtype="A" if address.version == 4 else "AAAA",
                value=str(address),
                node=None,
                resource=own,
            )


def _id(subnet: Json | None) -> int | None:
    return int(subnet["id"]) if subnet is not None else None


def _address(text: object) -> IPv4Address | IPv6Address:
    """Of text alone: ``ip_address`` takes a number too, and makes an address of it."""
    if not isinstance(text, str):
        raise TypeError(f"expected an address, got {type(text).__name__}")
    return ip_address(text)


def _mac(text: str | None) -> str | None:
    return text.lower() if text else None
