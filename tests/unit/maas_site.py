"""A MAAS that is well, as facts."""

from __future__ import annotations

from typing import Any

from blackstart.model.maas_facts import (
    BootImage,
    DnsRecord,
    DynamicRange,
    Interface,
    Link,
    MaasEvent,
    MaasFacts,
    MaasNode,
    MaasVersion,
    RackController,
    RackService,
    Reservation,
    Subnet,
)

from .invariants.site import seen

HELD = Reservation(
    ip="192.0.2.61",
    kind="static-link",
    mac="bc:24:11:00:00:01",
    hostname="box",
    subnet=5,
    source="maas",
)
CARD = Interface(
    name="eth0",
    mac="bc:24:11:00:00:01",
    links=(Link(mode="static", address="192.0.2.61", subnet=5),),
)
BOX = MaasNode(
    system_id="aaaaaa", kind="device", hostname="box", fqdn="box.lab.test", interfaces=(CARD,)
)
LAN = Subnet(
    id=5,
    name="lan",
    cidr="192.0.2.0/24",
    managed=True,
    dhcp_on=True,
    racks=("bbbbbb",),
    gateway="192.0.2.1",
    dns_servers=("192.0.2.53",),
)
RECORD = DnsRecord(
    fqdn="box.lab.test", rrtype="A", value="192.0.2.61", node="aaaaaa", resource=None
)
IMAGE = BootImage(
    id=2, name="ubuntu/noble", architecture="amd64", version="20260901", size=10, complete=True
)
EVENT = MaasEvent(id=7, created="now", level="INFO", type="x", hostname="maas", description="y")


def rack(status: Any) -> RackController:
    """The one rack controller, with its DHCP in some state."""
    service = RackService(status=status, info="")
    return RackController(system_id="bbbbbb", hostname="maas", services={"dhcpd": service})


WELL = MaasFacts(
    version=seen(MaasVersion(text="3.6.1", series="3.6")),
    administrator=seen(True),
    reservations=seen((HELD,)),
    nodes=seen((BOX,)),
    subnets=seen((LAN,)),
    dynamic_ranges=seen((DynamicRange(subnet=5, first="192.0.2.100", last="192.0.2.150"),)),
    dns_records=seen((RECORD,)),
    racks=seen((rack("running"),)),
    images=seen((IMAGE,)),
    importing=seen(False),
    syncs_by_itself=seen(True),
    events=seen((EVENT,)),
)
