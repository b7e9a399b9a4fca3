"""Management controllers, name servers, and this machine's own way to ask for DHCP."""

from __future__ import annotations

import errno
import fcntl
import socket
import struct
from collections.abc import Mapping

from blackstart.doctor.contacts import Contacts
from blackstart.doctor.state import failed, reached, wrong
from blackstart.drivers.dhcp_client import CLIENT_PORT, Wire
from blackstart.errors import DriverError
from blackstart.model.inventory import Inventory
from blackstart.model.reach import Reach, State

ASK_FLAGS = 0x8913
"""SIOCGIFFLAGS (netdevice(7))."""
UP_AND_RUNNING = 0x1 | 0x40
_REFUSES = ": REFUSED"


def controller(contacts: Contacts, node: str) -> tuple[Reach, ...]:
    """A node's management controller: it answers, and lets us in."""
    try:
        state = contacts.power.state(node)
    except DriverError as error:
        fix = f"correct user, password, system or ca in nodes.{node}.out_of_band"
        seen = failed(f"redfish {node}", error)
        return (seen.model_copy(update={"fix": fix}) if seen.state is State.WRONG else seen,)
    return (reached(f"redfish {node}", f"the machine is {state}"),)


def name_server(contacts: Contacts, server: str) -> tuple[Reach, ...]:
    """A name server: any answer will do, but for one that says that we may not ask."""
    thing, dns = f"dns {server}", contacts.inventory.dns
    assert dns is not None
    name = next(iter(dns.names), contacts.inventory.domain)
    seen = contacts.names.ask(str(dns.servers[server].address), name)
    if not seen.known:
        return (Reach(thing=thing, state=State.AWAY, said=f"{seen.source}: {seen.error}"),)
    if seen.source.endswith(_REFUSES):
        fix = "let this machine ask: allow-query of BIND, the interface settings of Pi-hole"
        return (wrong(thing, seen.source, fix),)
    return (reached(thing, seen.source),)


def interfaces(inventory: Inventory) -> tuple[str, ...]:
    """Those of this machine on which DHCP is asked."""
    return tuple(sorted({server.interface for server in inventory.dhcp.values()}))


def cards() -> dict[str, bool]:
    """This machine's interfaces, and whether each is up.

    Of the network namespace that we are in: /sys/class/net may show another's.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        return {name: _is_up(asked, name) for _, name in socket.if_nameindex()}


def _is_up(asked: socket.socket, name: str) -> bool:
    answer = fcntl.ioctl(asked, ASK_FLAGS, struct.pack("16sh14x", name.encode(), 0))
    flags = struct.unpack("16sH14x", answer)[1]
    return bool(flags & UP_AND_RUNNING == UP_AND_RUNNING)


def dhcp_interface(name: str, found: Mapping[str, bool] | None = None) -> tuple[Reach, ...]:
    """Whether this machine can ask for DHCP there; nothing is sent."""
    thing, found = f"dhcp {name}", cards() if found is None else found
    if name not in found:
        there = ", ".join(sorted(found))
        fix = "correct `interface:` in dhcp of the inventory"
        return (wrong(thing, f"this machine has no interface {name}, but {there}", fix),)
    if not found[name]:
        return (wrong(thing, f"{name} of this machine is down", f"ip link set {name} up"),)
    try:
        Wire(name).open().close()
    except OSError as error:
        fix = f"find out who holds it: ss -ulpn sport = :{CLIENT_PORT}"
        if error.errno in (errno.EPERM, errno.EACCES):
            fix = f"run it as root, or with CAP_NET_BIND_SERVICE, for UDP port {CLIENT_PORT}"
        return (wrong(thing, f"this machine cannot ask there: {error.strerror}", fix),)
    return (reached(thing, f"UDP port {CLIENT_PORT} can be used"),)
