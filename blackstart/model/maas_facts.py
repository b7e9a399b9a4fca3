"""What MAAS says of addresses, names and its own services.

Terms are those of the MAAS API 2.0 (https://maas.io/docs/api). Every list was read by
somebody who may see all of it, or it is an error: MAAS leaves out what a key may not see
and answers 200.
"""

from __future__ import annotations

from typing import Literal

from blackstart.model.observed import Observed, Record

ReservationKind = Literal["reservedip", "ipaddress", "static-link", "auto-link"]
"""Who holds an address in MAAS: a reserved IP (``reservedips/``, from 3.6), a user's reservation
(``ipaddresses/?op=reserve``), a static link of an interface, an automatic one."""
LinkMode = Literal["static", "auto", "dhcp", "link_up"]
ServiceStatus = Literal["unknown", "running", "degraded", "dead", "off"]


class MaasVersion(Record):
    """The version as MAAS says it, such as ``3.6.1``, and its series, ``3.6``."""

    text: str
    series: str


class Reservation(Record):
    """One address that MAAS keeps for somebody, and the call whose answer said so.

    ``subnet`` is the id of its subnet. A reservation of an address alone has no ``mac``.
    """

    ip: str
    kind: ReservationKind
    mac: str | None
    hostname: str | None
    subnet: int | None
    source: str

    @property
    def fixes(self) -> bool:
        """Whether the interface gets this address from DHCP at every start.

        MAAS writes a ``host`` block for an address with an interface behind it
        (``make_hosts_for_subnets``, maasserver/dhcp.py); without one it only keeps the
        address from others.
        """
        return self.mac is not None


class Link(Record):
    """How an interface gets its address on a subnet; ``address`` is ``None`` with DHCP."""

    mode: LinkMode
    address: str | None
    subnet: int | None


class Interface(Record):
    """A network card that MAAS knows; ``mac`` in lower case, ``None`` where it has none."""

    name: str
    mac: str | None
    links: tuple[Link, ...]


class MaasNode(Record):
    """A machine (MAAS installs it) or a device (MAAS only addresses it)."""

    system_id: str
    kind: Literal["machine", "device"]
    hostname: str
    fqdn: str
    interfaces: tuple[Interface, ...]


class Subnet(Record):
    """A subnet: whether MAAS serves DHCP on it and from which rack controllers (system ids).

    More than one rack is DHCP failover. ``managed`` is whether MAAS gives out its addresses.
    """

    id: int
    name: str
    cidr: str
    managed: bool
    dhcp_on: bool
    racks: tuple[str, ...]
    gateway: str | None
    dns_servers: tuple[str, ...]


class DynamicRange(Record):
    """Addresses that DHCP gives to anybody, first and last included."""

    subnet: int
    first: str
    last: str


class DnsRecord(Record):
    """One DNS record that MAAS serves.

    ``node`` is the system id of the machine or device it follows, ``resource`` the id of the
    DNS resource that a person made; a record of neither follows a lease or a reservation.
    """

    fqdn: str
    rrtype: str
    value: str
    node: str | None
    resource: int | None


class RackService(Record):
    """A service of a rack controller, as reported every 30 s; ``info`` says why it is ill."""

    status: ServiceStatus
    info: str


class RackController(Record):
    """A rack controller and its services by name (``rackd``, ``dhcpd``, ``dns_rack``, …)."""

    system_id: str
    hostname: str
    services: dict[str, RackService]


class BootImage(Record):
    """A boot image; ``complete`` is whether its newest version is here whole.

    That is the proof of an import: what starts one answers 200 also when it then fails.
    ``size`` in bytes.
    """

    id: int
    name: str
    architecture: str
    version: str | None
    size: int
    complete: bool


class MaasEvent(Record):
    """One line of MAAS' event log; ``created`` as MAAS writes it, to the second, in UTC."""

    id: int
    created: str
    level: str
    type: str
    hostname: str
    description: str


class MaasFacts(Record):
    """All of it, each with where it was read.

    ``administrator`` is whether the key's owner sees everything. ``reservations`` joins every
    kind, because none of their lists shows the others' addresses; it is not known when one
    of them could not be read. ``syncs_by_itself`` is whether images are imported every hour,
    at any time of day; ``importing`` may never be seen true (it is a database lock).
    ``events`` are the newest ones, newest first.
    """

    version: Observed[MaasVersion]
    administrator: Observed[bool]
    reservations: Observed[tuple[Reservation, ...]]
    nodes: Observed[tuple[MaasNode, ...]]
    subnets: Observed[tuple[Subnet, ...]]
    dynamic_ranges: Observed[tuple[DynamicRange, ...]]
    dns_records: Observed[tuple[DnsRecord, ...]]
    racks: Observed[tuple[RackController, ...]]
    images: Observed[tuple[BootImage, ...]]
    importing: Observed[bool]
    syncs_by_itself: Observed[bool]
    events: Observed[tuple[MaasEvent, ...]]
