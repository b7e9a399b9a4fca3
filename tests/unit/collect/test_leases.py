"""Leases are tried only where it is allowed, one server after the other."""

from __future__ import annotations

from ipaddress import IPv4Address

from blackstart.collect.leases import try_leases
from blackstart.model.addressing import DhcpServer
from blackstart.model.dhcp_facts import LeaseTrial
from blackstart.model.observed import Observed

from .test_site import INVENTORY


class Client:
    """Remembers where it was sent."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []

    def attempt(self, interface: str, server: IPv4Address) -> Observed[LeaseTrial]:
        self.asked.append((interface, str(server)))
        return Observed(source=f"dhcp {interface}", value=LeaseTrial(address="10.0.0.200"))


def server(last: int, *, lease: bool) -> DhcpServer:
    return DhcpServer(address=IPv4Address(f"10.0.0.{last}"), interface="eno1", lease=lease)


def test_only_who_allows_it_is_asked_for_a_lease() -> None:
    client = Client()
    declared = {"one": server(53, lease=True), "two": server(54, lease=False)}
    inventory = INVENTORY.model_copy(update={"dhcp": declared})
    found = try_leases(inventory, client)
    assert client.asked == [("eno1", "10.0.0.53")]
    assert {name: trial.source for name, trial in found.items()} == {"one": "dhcp eno1"}


def test_by_default_nobody_is() -> None:
    plain = DhcpServer(address=IPv4Address("10.0.0.53"), interface="eno1")
    client = Client()
    assert try_leases(INVENTORY.model_copy(update={"dhcp": {"one": plain}}), client) == {}
    assert client.asked == []
