"""The DHCP client against servers on loopback: who offers, and what it takes for its own."""

from __future__ import annotations

import asyncio
import time
from ipaddress import IPv4Address

import pytest

from blackstart.drivers import dhcp_client as module
from blackstart.drivers.dhcp_client import MAC, DhcpClient, Lease, Wire
from blackstart.drivers.dhcp_message import Kind
from blackstart.errors import Rejected, TimedOut, UsageError

from .dhcp_server import Asked, Script, answer, serving

ADDRESS, SERVER = IPv4Address("192.0.2.220"), IPv4Address("192.0.2.53")
OTHER = IPv4Address("192.0.2.9")
WINDOW_S = 0.3


def offering(asked: Asked) -> list[bytes]:
    """A server that knows its trade."""
    return [answer(asked, Kind.OFFER if asked.kind == Kind.DISCOVER else Kind.ACK)]


async def offers(script: Script) -> tuple[Lease, ...]:
    async with serving(script) as (_, wire):
        return await DhcpClient(wire).offers(WINDOW_S)


async def test_the_server_that_offers() -> None:
    (found,) = await offers(offering)
    assert (found.address, found.server, found.lease_s) == (ADDRESS, SERVER, 600)


async def test_every_server_that_offers_is_heard_to_the_end_of_the_window() -> None:
    def two(asked: Asked) -> list[bytes]:
        again = answer(asked, Kind.OFFER, "192.0.2.221")
        return [*offering(asked), answer(asked, Kind.OFFER, server="192.0.2.9"), again]

    found = await offers(two)
    assert [(item.server, item.address) for item in found] == [(OTHER, ADDRESS), (SERVER, ADDRESS)]


async def test_silence_is_nobody_and_bounded() -> None:
    began = time.monotonic()
    assert await offers(lambda asked: []) == ()
    assert WINDOW_S <= time.monotonic() - began < WINDOW_S + 2


FOREIGN = {
    "another exchange": lambda asked: [answer(asked, Kind.OFFER, xid=asked.xid ^ 1)],
    "another machine's": lambda asked: [answer(asked, Kind.OFFER, mac=b"\xbc\x24\x11\x00\x00\x35")],
    "no offer": lambda asked: [answer(asked, Kind.ACK)],
    "no address": lambda asked: [answer(asked, Kind.OFFER, "0.0.0.0")],
    "no server": lambda asked: [answer(asked, Kind.OFFER, server=None)],
    "no lease time": lambda asked: [answer(asked, Kind.OFFER, lease_s=None)],
    "no DHCP": lambda asked: [b"", b"nonsense", answer(asked, Kind.OFFER)[:-3]],
}


@pytest.mark.parametrize("name", FOREIGN)
async def test_what_is_not_its_own_is_not_heard(name: str) -> None:
    script = FOREIGN[name]
    assert await offers(script) == ()
    (found,) = await offers(lambda asked: [*script(asked), *offering(asked)])
    assert found.server == SERVER


async def test_a_flood_does_not_hold_the_window_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where data always waits, nothing is ever awaited, and no timeout can come."""
    began = time.monotonic()

    async def at_once(*_: object) -> bytes:
        assert time.monotonic() - began < WINDOW_S + 3
        return b"noise"

    async with serving(lambda asked: []) as (_, wire):
        monkeypatch.setattr(asyncio.get_running_loop(), "sock_recv", at_once)
        assert await DhcpClient(wire).offers(WINDOW_S) == ()


async def test_a_question_that_was_dropped_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "AGAIN_S", 0.1)

    async with serving(lambda asked: []) as (server, wire):
        server.script = lambda asked: offering(asked) if len(server.asked) > 1 else []
        (found,) = await DhcpClient(wire).offers(30, until=SERVER)
    assert found.server == SERVER
    assert len(server.asked) > 1
    assert len({asked.xid for asked in server.asked}) == 1


async def test_who_waits_for_one_server_does_not_wait_for_others() -> None:
    async with serving(offering) as (_, wire):
        began = time.monotonic()
        (found,) = await DhcpClient(wire).offers(30, until=SERVER)
        assert time.monotonic() - began < 5
        assert found.server == SERVER
        began = time.monotonic()
        assert len(await DhcpClient(wire).offers(WINDOW_S, until=OTHER)) == 1
        assert time.monotonic() - began >= WINDOW_S


async def test_an_offer_is_taken_kept_and_given_back() -> None:
    async with serving(offering) as (server, wire):
        client = DhcpClient(wire)
        (offered,) = await client.offers(5, until=SERVER)
        taken = await client.take(offered, 5)
        kept = await client.keep(taken, 5)
        assert (taken.address, kept.address) == (ADDRESS, ADDRESS)
        discover, accept, still = server.asked
    assert discover.xid == accept.xid != still.xid
    assert accept.options[50] == ADDRESS.packed
    assert accept.options[54] == SERVER.packed
    assert still.options[50] == ADDRESS.packed
    assert 54 not in still.options, "a client that rebooted names no server (RFC 2131, 4.3.2)"
    assert {asked.held for asked in server.asked} == {"0.0.0.0"}
    assert {asked.mac.hex(":") for asked in server.asked} == {MAC}


async def test_what_was_given_goes_back_to_who_gave_it() -> None:
    async with serving(lambda asked: []) as (server, wire):
        lease = Lease(ADDRESS, IPv4Address("127.0.0.1"), 600, 1)
        DhcpClient(wire).give_back(lease)
        async with asyncio.timeout(5):
            while not server.asked:
                await asyncio.sleep(0.01)
        (release,) = server.asked
    assert (release.kind, release.held) == (Kind.RELEASE, "192.0.2.220")
    assert release.options[54] == lease.server.packed


HELD = Lease(ADDRESS, SERVER, 600, 7)


async def keep(script: Script) -> Lease:
    async with serving(script) as (_, wire):
        return await DhcpClient(wire).keep(HELD, WINDOW_S)


async def test_a_refusal_means_that_the_address_would_change() -> None:
    with pytest.raises(Rejected, match=r"192\.0\.2\.53 refuses 192\.0\.2\.220 \(NAK\)"):
        await keep(lambda asked: [answer(asked, Kind.NAK, "0.0.0.0", lease_s=None)])


async def test_another_address_is_not_taken() -> None:
    with pytest.raises(Rejected, match=r"gave 192\.0\.2\.221 for 192\.0\.2\.220"):
        await keep(lambda asked: [answer(asked, Kind.ACK, "192.0.2.221")])


async def test_another_server_does_not_answer_for_it() -> None:
    def other(asked: Asked) -> list[bytes]:
        nak = answer(asked, Kind.NAK, "0.0.0.0", "192.0.2.9", lease_s=None)
        return [nak, answer(asked, Kind.ACK, server="192.0.2.9")]

    with pytest.raises(TimedOut, match=r"192\.0\.2\.53 did not answer within 0\.3 s"):
        await keep(other)
    assert (await keep(lambda asked: [*other(asked), answer(asked, Kind.ACK)])).server == SERVER


@pytest.mark.parametrize("mac", ["bc:24:11:77:00:35", "01:62:6c:6b:73:74", "02:62", "x", ""])
def test_a_mac_that_may_be_a_machines_is_refused(mac: str) -> None:
    with pytest.raises(UsageError, match="not locally administered"):
        DhcpClient(Wire("lo"), mac)


async def test_a_wire_that_is_not_there_is_this_machines_trouble() -> None:
    with pytest.raises(OSError, match="No such device"):
        await DhcpClient(Wire("no-such-card")).offers(WINDOW_S)
