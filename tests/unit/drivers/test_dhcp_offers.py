"""Who offers on a wire: everybody within the window, and nobody is an answer."""

from __future__ import annotations

from blackstart.drivers.dhcp_message import Kind
from blackstart.drivers.dhcp_offers import DhcpOffers

from .dhcp_server import Asked, Script, answer, serving_beside


def look(script: Script) -> tuple[str, ...] | None:
    with serving_beside(script) as (_, wire):
        return DhcpOffers(window_s=0.3, wire=lambda interface: wire).look("lo").value


def test_everybody_who_offers_is_named() -> None:
    def two(asked: Asked) -> list[bytes]:
        return [answer(asked, Kind.OFFER, server=server) for server in ("192.0.2.53", "192.0.2.9")]

    assert look(two) == ("192.0.2.9", "192.0.2.53")


def test_nobody_is_an_answer() -> None:
    assert look(lambda asked: []) == ()


def test_an_interface_that_is_not_there_is_unknown() -> None:
    found = DhcpOffers(window_s=0.3).look("no-such-card")
    assert (found.value, found.error) == (None, "this machine cannot ask: No such device")
    assert found.source == "dhcp no-such-card: DISCOVER, 0.3 s"
