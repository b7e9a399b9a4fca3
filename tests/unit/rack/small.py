"""The smallest topology: one hypervisor, one NAS, one guest."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network

from blackstart.rack.topology import Guest, Machine, Topology

LOOPBACK = IPv4Address("127.0.0.1")

SMALL = Topology(
    name="small",
    site="test",
    domain="test.example",
    network=IPv4Network("192.0.2.0/24"),
    controller=IPv4Address("192.0.2.1"),
    bridge_mac="52:54:00:00:00:0f",
    machines=(
        Machine("one", "hypervisor", IPv4Address("192.0.2.11"), "52:54:00:00:00:01", LOOPBACK, 512),
        Machine("two", "nas", IPv4Address("192.0.2.12"), "52:54:00:00:00:02", LOOPBACK, 256),
    ),
    guests=(
        Guest(
            100,
            "inner",
            "lxc",
            "app",
            "one",
            IPv4Address("192.0.2.50"),
            "bc:24:11:00:00:01",
            64,
            1,
        ),
    ),
)
