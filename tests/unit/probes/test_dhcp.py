"""DHCP probe: up when its own server offers, and whose trouble it is when none does."""

from __future__ import annotations

from ipaddress import IPv4Address

import pytest

from blackstart.drivers.dhcp_client import Wire
from blackstart.drivers.dhcp_message import Kind
from blackstart.errors import ProbeBroken
from blackstart.probes import dhcp
from blackstart.probes.base import Answer
from blackstart.probes.dhcp import DhcpProbe
from tests.unit.drivers.dhcp_server import Asked, answer, serving

SERVER = IPv4Address("192.0.2.53")


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dhcp, "SHORTEST_S", 0.2)


def probe(wire: Wire) -> DhcpProbe:
    return DhcpProbe("dhcp maas", "dhcp/maas", wire, SERVER, 0.1)


async def asked(*servers: str) -> Answer:
    def script(asked: Asked) -> list[bytes]:
        return [answer(asked, Kind.OFFER, server=server) for server in servers]

    async with serving(script) as (server, wire):
        found = await probe(wire).ask()
        assert [message.kind for message in server.asked] == [Kind.DISCOVER]
    return found


async def test_its_server_offers() -> None:
    assert await asked("192.0.2.53") == Answer(True)


async def test_its_server_offers_after_another() -> None:
    assert await asked("192.0.2.9", "192.0.2.53") == Answer(True)


async def test_nobody_offers() -> None:
    assert await asked() == Answer(False, "no offer within 0.2 s")


async def test_another_server_is_not_its_own() -> None:
    found = await asked("192.0.2.9")
    assert found == Answer(False, "no offer within 0.2 s; 192.0.2.9 offered")


async def test_an_interface_that_is_gone_is_this_machines_trouble() -> None:
    with pytest.raises(ProbeBroken, match=r"cannot ask for DHCP on no-such-card: .*No such device"):
        await probe(Wire("no-such-card")).ask()
    await probe(Wire("no-such-card")).close()


def test_a_server_has_the_time_to_ping_the_address_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dhcp, "SHORTEST_S", 3.0)
    assert probe(Wire("lo")).timeout_s == 3.0
    assert DhcpProbe("dhcp maas", "dhcp/maas", Wire("lo"), SERVER, 5.0).timeout_s == 5.0
