"""DHCP on the rack's own wire: one server offers, and it really gives, renews and takes back."""

from __future__ import annotations

import asyncio
from ipaddress import IPv4Address

import pytest

from blackstart.drivers.dhcp_client import MAC, DhcpClient, Lease, Wire
from blackstart.drivers.dhcp_leases import DhcpLeases
from blackstart.drivers.dhcp_offers import DhcpOffers
from blackstart.rack.network import BRIDGE
from blackstart.rack.seed import dhcp
from blackstart.rack.topology import PVE
from tests.rack.command import eventually, on, rack

SERVER = next(guest.address for guest in PVE.guests if guest.role == "maas")
POOL = {PVE.network[host] for host in range(dhcp.POOL[0], dhcp.POOL[1] + 1)}
ANSWER_S = 10.0
ACTIVE = "\n  binding state active;"

pytestmark = pytest.mark.usefixtures("inside")


def test_exactly_one_server_offers() -> None:
    found = DhcpOffers().look(BRIDGE)
    assert (found.error, found.value) == (None, (str(SERVER),))


def recorded(address: IPv4Address) -> str:
    """The last record that the server wrote of an address."""
    script = f"sed -n '/^lease {address} /,/^}}/p' /{dhcp.DIRECTORY}/dhcp/dhcpd.leases"
    return "lease " + on("maas", script).rpartition("lease ")[2]


def test_a_lease_is_taken_kept_and_given_back() -> None:
    client = DhcpClient(Wire(BRIDGE))

    async def through() -> tuple[Lease, Lease, str]:
        (offered,) = await client.offers(ANSWER_S, until=SERVER)
        taken = await client.take(offered, ANSWER_S)
        try:
            held = recorded(taken.address)
            return taken, await client.keep(taken, ANSWER_S), held
        finally:
            client.give_back(taken)

    taken, kept, held = asyncio.run(through())
    assert taken.address in POOL
    assert (kept.address, kept.server) == (taken.address, SERVER)
    assert 0 < kept.lease_s <= taken.lease_s == dhcp.LEASE_S
    assert ACTIVE in held
    assert f"hardware ethernet {MAC};" in held
    eventually(lambda: ACTIVE not in recorded(taken.address), ANSWER_S)


def test_what_a_drill_tries_is_given_and_leaves_nothing() -> None:
    found = DhcpLeases().attempt(BRIDGE, SERVER)
    assert found.error is None
    assert found.value is not None
    assert found.value.refused is None
    assert found.value.address is not None
    address = IPv4Address(found.value.address)
    assert address in POOL
    eventually(lambda: ACTIVE not in recorded(address), ANSWER_S)


def test_who_does_not_serve_gives_nothing() -> None:
    found = DhcpLeases(answer_s=3.0).attempt(BRIDGE, SERVER + 1)
    assert found.value is not None
    assert found.value.refused == "made no offer within 3 s"


def test_the_clients_port_is_open_to_who_is_not_root() -> None:
    setting = "/proc/sys/net/ipv4/ip_unprivileged_port_start"
    assert rack("exec", "--", "cat", setting).stdout.strip() == "68"
