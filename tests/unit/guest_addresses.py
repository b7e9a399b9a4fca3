"""A site in which every source agrees, and ways to make one of them say something else.

``box`` is reserved in MAAS, ``far`` has a static address, ``lab`` is meant to be off.
"""

from __future__ import annotations

from typing import Any

from blackstart.model.address_book import Book
from blackstart.model.address_findings import Judged, findings
from blackstart.model.address_site import address_book
from blackstart.model.dhcp_facts import AddressRange, DhcpFacts, HostEntry, Lease
from blackstart.model.facts import SiteFacts
from blackstart.model.inventory import Inventory
from blackstart.model.maas_facts import (
    DnsRecord,
    DynamicRange,
    MaasFacts,
    Reservation,
    Subnet,
)
from blackstart.model.observed import unread

from .invariants.site import facts, seen, site

BOX, FAR = "bc:24:11:00:00:01", "bc:24:11:00:00:02"
STRANGER = "bc:24:11:00:00:99"
BOX_AT, FAR_AT = "192.0.2.61", "192.0.2.62"
CONF, LOG = "ssh far: dhcpd.conf", "ssh far: dhcpd.leases"
NETWORK = "192.0.2.0/24"
MAAS = {"url": "https://192.0.2.62:5443/MAAS", "key": "env:KEY", "guest": "far"}


def entry(mac: str = BOX, at: str = BOX_AT, **changes: Any) -> HostEntry:
    """A host entry, of box unless told otherwise."""
    fields = {"name": mac.replace(":", "-"), "mac": mac, "addresses": (at,), "line": 7}
    return HostEntry(**{**fields, **changes})


def lease(mac: str = BOX, at: str = BOX_AT, **changes: Any) -> Lease:
    """A lease that is held until 100 s after the facts were taken."""
    return Lease(**{"address": at, "mac": mac, "state": "active", "ends": 100.0, **changes})


def reservation(mac: str | None = BOX, ip: str = BOX_AT) -> Reservation:
    """A reserved IP."""
    return Reservation(
        ip=ip, kind="reservedip", mac=mac, hostname=None, subnet=1, source="GET reservedips/"
    )


def record(fqdn: str, value: str) -> DnsRecord:
    """An A record that MAAS serves."""
    return DnsRecord(fqdn=fqdn, rrtype="A", value=value, node=None, resource=1)


def inventory(**changes: Any) -> Inventory:
    """The site of the invariants' tests, with MAAS on far."""
    return site(**{"maas": MAAS, **changes})


def dhcp(**changes: Any) -> DhcpFacts:
    """A server that gives box its address, and others something from a range."""
    server = DhcpFacts(
        declared=seen((entry(),), CONF),
        recorded=seen((), LOG),
        leases=seen((lease(STRANGER, "192.0.2.100"),), LOG),
        ranges=seen((AddressRange(first="192.0.2.100", last="192.0.2.150"),), CONF),
        partners=seen(("two",), CONF),
        lease_s=seen(600, CONF),
    )
    return server.model_copy(update=changes)


def maas(**changes: Any) -> MaasFacts:
    """A MAAS that has reserved box, and serves DHCP from two racks."""
    subnet = Subnet(
        id=1,
        name="lan",
        cidr=NETWORK,
        managed=True,
        dhcp_on=True,
        racks=("r1", "r2"),
        gateway=None,
        dns_servers=(),
    )
    known = {
        "reservations": seen((reservation(),), "maas reservations"),
        "subnets": seen((subnet,), "maas subnets"),
        "dynamic_ranges": seen(
            (DynamicRange(subnet=1, first="192.0.2.100", last="192.0.2.150"),), "maas ipranges"
        ),
        "dns_records": seen((record("box.lab.test", BOX_AT),), "maas dnsresources"),
    }
    return unread(MaasFacts, "maas", "not asked here").model_copy(update={**known, **changes})


def config(name: str, **settings: str) -> dict[str, Any]:
    """A guest's facts with this configuration, as a change of ``guests``."""
    guest = facts("first").guests[name]
    return {name: guest.model_copy(update={"config": seen(settings, f"api {name}")})}


DHCP_CARD = {"net0": f"virtio={BOX.upper()},bridge=vmbr0", "ipconfig0": "ip=dhcp"}
STATIC_CARD = {
    "net0": f"virtio={FAR.upper()},bridge=vmbr0",
    "ipconfig0": f"ip={FAR_AT}/24,gw=192.0.2.1",
}


def agreeing(**changes: Any) -> SiteFacts:
    """Facts in which all agree; ``changes`` replace whole parts of them."""
    whole = facts("first")
    parts: dict[str, Any] = {
        "guests": {**whole.guests, **config("box", **DHCP_CARD), **config("far", **STATIC_CARD)},
        "reverse": {f"ns/{BOX_AT}": seen(("box.lab.test",), "dns ns")},
        "dhcp": {"far": dhcp()},
        "maas": maas(),
    }
    return whole.model_copy(update={**parts, **changes})


def with_guest(name: str, **changes: Any) -> SiteFacts:
    """Facts in which one guest shows something else."""
    whole = agreeing()
    guest = whole.guests[name].model_copy(update=changes)
    return whole.model_copy(update={"guests": {**whole.guests, name: guest}})


def book(site_facts: SiteFacts | None = None, **changes: Any) -> Book:
    """The address book of the site."""
    return address_book(inventory(**changes), site_facts or agreeing())


def judged(site_facts: SiteFacts | None = None, **changes: Any) -> Judged:
    """What the address book of the site shows to be wrong."""
    return findings(book(site_facts, **changes))
