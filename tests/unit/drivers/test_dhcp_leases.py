"""A lease is taken, renewed and given back; who only offers is told from who gives."""

from __future__ import annotations

import time
from ipaddress import IPv4Address

import pytest

from blackstart.drivers import dhcp_leases as module
from blackstart.drivers.dhcp_leases import DhcpLeases
from blackstart.drivers.dhcp_message import Kind
from blackstart.model.dhcp_facts import LeaseTrial
from blackstart.model.observed import Observed

from .dhcp_server import Asked, Script, Server, answer, serving_beside

SERVER = "127.0.0.1"
"""What the client gives back goes there."""
ANSWER_S = 0.4


def renewing(asked: Asked) -> bool:
    """Whether this is the question of a client that had the lease already."""
    return asked.kind == Kind.REQUEST and 54 not in asked.options


def giving(asked: Asked) -> list[bytes]:
    """A server that knows its trade."""
    if asked.kind == Kind.RELEASE:
        return []
    return [answer(asked, Kind.OFFER if asked.kind == Kind.DISCOVER else Kind.ACK, server=SERVER)]


def attempt(script: Script) -> tuple[Observed[LeaseTrial], Server]:
    with serving_beside(script) as (server, wire):
        client = DhcpLeases(answer_s=ANSWER_S, wire=lambda interface: wire)
        found = client.attempt("lo", IPv4Address(SERVER))
        until = time.monotonic() + 5
        while found.known and _offered(server) and not _released(server):
            assert time.monotonic() < until, "the lease was not given back"
            time.sleep(0.01)
    return found, server


def _offered(server: Server) -> bool:
    return any(asked.kind == Kind.REQUEST for asked in server.asked)


def _released(server: Server) -> list[str]:
    return [asked.held for asked in server.asked if asked.kind == Kind.RELEASE]


def test_a_lease_is_taken_renewed_and_given_back() -> None:
    found, server = attempt(giving)
    assert found.value == LeaseTrial(address="192.0.2.220", lease_s=600)
    assert found.source == "dhcp lo: REQUEST to 127.0.0.1"
    kinds = [Kind(asked.kind) for asked in server.asked]
    assert kinds == [Kind.DISCOVER, Kind.REQUEST, Kind.REQUEST, Kind.RELEASE]
    assert [renewing(asked) for asked in server.asked] == [False, False, True, False]
    assert _released(server) == ["192.0.2.220"]
    assert len({asked.mac for asked in server.asked}) == 1


def nak(asked: Asked) -> list[bytes]:
    return [answer(asked, Kind.NAK, "0.0.0.0", SERVER, lease_s=None)]


def moved(asked: Asked) -> list[bytes]:
    return [answer(asked, Kind.ACK, "192.0.2.221", SERVER)]


SILENT = "127.0.0.1 did not answer within 0.4 s"
REFUSED = {
    "it cannot write its lease file": (
        lambda asked: giving(asked) if asked.kind == Kind.DISCOVER else [],
        f"offered, and gave no lease: {SILENT}",
    ),
    "it takes the offer back": (
        lambda asked: giving(asked) if asked.kind == Kind.DISCOVER else nak(asked),
        "offered, and gave no lease: 127.0.0.1 refuses 192.0.2.220 (NAK)",
    ),
    "it forgets what it gave": (
        lambda asked: [] if renewing(asked) else giving(asked),
        f"gave a lease, and renewed it not: {SILENT}",
    ),
    "it refuses the renewal": (
        lambda asked: nak(asked) if renewing(asked) else giving(asked),
        "gave a lease, and renewed it not: 127.0.0.1 refuses 192.0.2.220 (NAK)",
    ),
    "it renews another": (
        lambda asked: moved(asked) if renewing(asked) else giving(asked),
        "gave a lease, and renewed it not: 127.0.0.1 gave 192.0.2.221 for 192.0.2.220",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_server_that_only_offers_is_told_and_gets_everything_back(name: str) -> None:
    script, said = REFUSED[name]
    found, server = attempt(script)
    assert found.value == LeaseTrial(address="192.0.2.220", refused=said)
    assert _released(server) == ["192.0.2.220"], "an acknowledgement may have been lost"


@pytest.mark.parametrize(
    "script",
    [lambda asked: [], lambda asked: [answer(asked, Kind.OFFER, server="192.0.2.9")]],
    ids=["nobody", "another server"],
)
def test_nothing_is_taken_from_who_was_not_asked(script: Script) -> None:
    found, server = attempt(script)
    assert found.value == LeaseTrial(refused="made no offer within 0.4 s")
    assert {asked.kind for asked in server.asked} == {Kind.DISCOVER}


def test_this_machines_own_trouble_is_not_the_servers() -> None:
    found = DhcpLeases(answer_s=ANSWER_S).attempt("no-such-card", IPv4Address(SERVER))
    assert (found.value, found.error) == (None, "this machine cannot ask: No such device")


def test_a_client_that_hangs_is_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "GRACE_S", 0.0)
    monkeypatch.setattr(module.asyncio, "run", lambda work: (work.close(), time.sleep(1)))
    found = DhcpLeases(answer_s=0.1).attempt("lo", IPv4Address(SERVER))
    assert (found.value, found.error) == (None, "dhcp lo: no answer within 0 s")
