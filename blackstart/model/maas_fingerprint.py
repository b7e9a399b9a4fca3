"""What MAAS says of addresses, flattened for comparison: each fact and how it may change."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from blackstart.model.maas_facts import (
    BootImage,
    DnsRecord,
    DynamicRange,
    MaasEvent,
    MaasFacts,
    MaasNode,
    RackController,
    Reservation,
    Subnet,
)
from blackstart.model.readings import Members, Reading, plain, present, reading


def maas_readings(maas: MaasFacts) -> Iterator[tuple[str, Reading]]:
    """Every fact by its name.

    Names follow leases and services are reported every 30 s, so they converge. What a sync
    brings is no difference: MAAS imports images every hour by itself.
    """
    yield "version", reading(maas.version, "identity", lambda version: plain(version.text))
    yield "administrator", reading(maas.administrator, "identity", plain)
    yield "reservations", reading(maas.reservations, "identity", _reservations)
    yield "nodes", reading(maas.nodes, "set", _nodes)
    yield "subnets", reading(maas.subnets, "identity", _subnets)
    yield "dynamic_ranges", reading(maas.dynamic_ranges, "identity", _ranges)
    yield "dns_records", reading(maas.dns_records, "converging", _records)
    yield "racks", reading(maas.racks, "converging", _services)
    yield "images", reading(maas.images, "converging", _images)
    yield "importing", reading(maas.importing, "volatile", plain)
    yield "syncs_by_itself", reading(maas.syncs_by_itself, "identity", plain)
    yield "events", reading(maas.events, "volatile", _newest)


def _reservations(reservations: Iterable[Reservation]) -> Members:
    return _joined((f"{held.ip} {held.kind}", held.mac or "no interface") for held in reservations)


def _nodes(nodes: Iterable[MaasNode]) -> Members:
    """Interfaces with a fixed address; what DHCP gave them is in the leases."""
    return {
        f"{node.kind} {node.hostname}": ", ".join(
            sorted(
                f"{card.mac} {link.mode} {link.address}"
                for card in node.interfaces
                for link in card.links
                if link.address
            )
        )
        or "no fixed address"
        for node in nodes
    }


def _subnets(subnets: Iterable[Subnet]) -> Members:
    return {
        subnet.cidr: ", ".join(
            (
                f"DHCP from {' and '.join(subnet.racks)}" if subnet.dhcp_on else "no DHCP",
                "managed" if subnet.managed else "not managed",
                f"gateway {subnet.gateway or 'none'}",
                f"DNS {' '.join(subnet.dns_servers) or 'none'}",
            )
        )
        for subnet in subnets
    }


def _ranges(ranges: Iterable[DynamicRange]) -> Members:
    return present(f"{found.first}-{found.last}" for found in ranges)


def _records(records: Iterable[DnsRecord]) -> Members:
    return _joined((f"{record.fqdn} {record.rrtype}", record.value) for record in records)


def _services(racks: Iterable[RackController]) -> Members:
    return {
        f"{rack.hostname}/{name}": service.status
        for rack in racks
        for name, service in rack.services.items()
    }


def _images(images: Iterable[BootImage]) -> Members:
    return {
        f"{image.name} {image.architecture}": "complete" if image.complete else "incomplete"
        for image in images
    }


def _newest(events: tuple[MaasEvent, ...]) -> Members:
    return plain(events[0].id if events else "none")


def _joined(pairs: Iterable[tuple[str, str]]) -> Members:
    """One member for each name, with all of its values in order."""
    found: dict[str, set[str]] = {}
    for name, value in pairs:
        found.setdefault(name, set()).add(value)
    return {name: ", ".join(sorted(values)) for name, values in found.items()}
