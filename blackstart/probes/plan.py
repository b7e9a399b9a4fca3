"""Which probes an inventory asks for."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from blackstart.drivers.base import CommandRunner
from blackstart.drivers.dhcp_client import Wire
from blackstart.model.inventory import Inventory, SshAccess
from blackstart.model.subjects import mounts_asked, subject
from blackstart.probes.base import Probe
from blackstart.probes.dhcp import MAX_DISCOVERS_HZ, RACK_DISCOVERS_HZ, DhcpProbe
from blackstart.probes.dns import MAX_QUERIES_HZ, DnsProbe
from blackstart.probes.http import HttpProbe, trust
from blackstart.probes.icmp import EchoSocket, IcmpProbe
from blackstart.probes.mount import MAX_QUESTIONS_HZ, RACK_QUESTIONS_HZ, MountProbe
from blackstart.probes.tcp import TcpProbe

ResolvePath = Callable[[str], Path]
"""From a reference of the inventory (``file:``, ``rack:``) to a file."""


def probes_for(
    inventory: Inventory, resolve_path: ResolvePath, runner: CommandRunner
) -> list[Probe]:
    """ICMP for every node and guest, TCP and HTTP for services, DNS and DHCP for every server,
    mounts.

    Guests declared as off are left out. ``runner`` asks hosts for their mounts. Raises
    ``UsageError`` for a service on a secure shell's port and for a CA that cannot be read.
    """
    return [
        *_icmp(inventory),
        *_dns(inventory),
        *_dhcp(inventory),
        *_services(inventory, resolve_path),
        *_mounts(inventory, runner),
    ]


def _icmp(inventory: Inventory) -> Iterator[Probe]:
    sockets = EchoSocket()
    timeout_s = inventory.probing.timeout
    for name, node in inventory.nodes.items():
        full_name = subject("node", name)
        yield IcmpProbe(f"icmp {name}", full_name, str(node.address), timeout_s, sockets)
    for name, guest in inventory.guests.items():
        if guest.running:
            full_name = subject("guest", name)
            yield IcmpProbe(f"icmp {name}", full_name, str(guest.address), timeout_s, sockets)


def _dns(inventory: Inventory) -> Iterator[Probe]:
    if inventory.dns is None or not inventory.dns.names:
        return
    names = {
        name: frozenset(str(address) for address in declared.addresses)
        for name, declared in inventory.dns.names.items()
    }
    # Two entries may be one machine, whose limit they then share.
    shared_by = Counter(server.address for server in inventory.dns.servers.values())
    for name, server in inventory.dns.servers.items():
        yield DnsProbe(
            f"dns {name}",
            subject("dns", name),
            str(server.address),
            names,
            inventory.probing.timeout,
            max_rate_hz=MAX_QUERIES_HZ / shared_by[server.address],
        )


def _dhcp(inventory: Inventory) -> Iterator[Probe]:
    rate_hz = RACK_DISCOVERS_HZ if inventory.rack else MAX_DISCOVERS_HZ
    shared_by = Counter(server.interface for server in inventory.dhcp.values())
    for name, server in inventory.dhcp.items():
        yield DhcpProbe(
            f"dhcp {name}",
            subject("dhcp", name),
            Wire(server.interface),
            server.address,
            inventory.probing.timeout,
            max_rate_hz=rate_hz / shared_by[server.interface],
        )


def _services(inventory: Inventory, resolve_path: ResolvePath) -> Iterator[Probe]:
    timeout_s = inventory.probing.timeout
    ssh_ports = _ssh_ports(inventory)
    for name, service in inventory.services.items():
        full_name = subject("service", name)
        if service.tcp is not None:
            host, _, port = service.tcp.partition(":")
            yield TcpProbe(f"tcp {name}", full_name, host, int(port), timeout_s, ssh_ports)
        if service.http is not None:
            tls = trust(resolve_path(service.ca) if service.ca is not None else None)
            yield HttpProbe(
                f"http {name}", full_name, service.http, service.expect_status, timeout_s, tls
            )


def _mounts(inventory: Inventory, runner: CommandRunner) -> Iterator[Probe]:
    mounts = mounts_asked(inventory)
    rate_hz = RACK_QUESTIONS_HZ if inventory.rack else MAX_QUESTIONS_HZ
    shared_by = Counter(mount.host for mount in mounts.values())
    for name, mount in mounts.items():
        yield MountProbe(
            f"mount {name}",
            subject("mount", name),
            runner,
            mount.host,
            mount.path,
            bound_s=math.ceil(inventory.probing.timeout),
            max_rate_hz=rate_hz / shared_by[mount.host],
        )


def _ssh_ports(inventory: Inventory) -> frozenset[int]:
    declared = (inventory.ssh, *(node.ssh for node in inventory.nodes.values()))
    return frozenset(access.port for access in declared if isinstance(access, SshAccess))
