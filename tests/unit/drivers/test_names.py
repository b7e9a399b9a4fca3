"""Questions to a real DNS server on loopback, made of dnspython's own messages."""

from __future__ import annotations

import socketserver
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest

from blackstart.drivers.names import DnsLookup

Respond = Callable[[dns.message.Message], dns.message.Message | None]


class _Udp(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        data, reply_from = self.request
        response = self.server.respond(dns.message.from_wire(data))  # type: ignore[attr-defined]
        if response is not None:
            reply_from.sendto(response.to_wire(), self.client_address)


class _Tcp(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        size = int.from_bytes(self.rfile.read(2), "big")
        query = dns.message.from_wire(self.rfile.read(size))
        wire = self.server.respond(query).to_wire()  # type: ignore[attr-defined]
        self.wfile.write(len(wire).to_bytes(2, "big") + wire)


@contextmanager
def _running(server: socketserver.TCPServer, respond: Respond) -> Iterator[int]:
    server.respond = respond  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield server.socket.getsockname()[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


@contextmanager
def udp(respond: Respond) -> Iterator[DnsLookup]:
    """A server that answers over UDP, and a lookup that asks it."""
    with _running(socketserver.UDPServer(("127.0.0.1", 0), _Udp), respond) as port:
        yield DnsLookup(timeout_s=0.4, port=port)


def answering(*lines: str, rcode: dns.rcode.Rcode = dns.rcode.NOERROR) -> Respond:
    """Always these records."""

    def respond(query: dns.message.Message) -> dns.message.Message:
        response = dns.message.make_response(query)
        response.set_rcode(rcode)
        for line in lines:
            owner, kind, value = line.split()
            response.answer.append(dns.rrset.from_text(owner, 60, "IN", kind, value))
        return response

    return respond


def test_addresses_come_sorted_and_cnames_are_followed() -> None:
    records = (
        "www.rack.test. CNAME web.rack.test.",
        "web.rack.test. A 10.0.0.9",
        "web.rack.test. A 10.0.0.10",
    )
    with udp(answering(*records)) as lookup:
        seen = lookup.ask("127.0.0.1", "www.rack.test")
    assert seen.value == ("10.0.0.10", "10.0.0.9")
    assert seen.source == "dns @127.0.0.1: www.rack.test A"


@pytest.mark.parametrize("rcode", [dns.rcode.NXDOMAIN, dns.rcode.SERVFAIL, dns.rcode.REFUSED])
def test_each_refusal_has_its_own_word(rcode: dns.rcode.Rcode) -> None:
    with udp(answering(rcode=rcode)) as lookup:
        seen = lookup.ask("127.0.0.1", "web.rack.test")
    assert (seen.value, seen.error) == ((), None)
    assert seen.source == f"dns @127.0.0.1: web.rack.test A: {dns.rcode.to_text(rcode)}"


def test_a_name_without_an_address_is_no_data() -> None:
    with udp(answering()) as lookup:
        seen = lookup.ask("127.0.0.1", "web.rack.test")
    assert (seen.value, seen.source[-6:]) == ((), "NODATA")


def test_the_names_of_an_address_are_asked_at_its_place_in_the_reverse_zone() -> None:
    asked: list[str] = []

    def respond(query: dns.message.Message) -> dns.message.Message:
        asked.append(query.question[0].to_text())
        names = ("Web.rack.test.", "docker1.rack.test.")
        return answering(*(f"9.0.0.10.in-addr.arpa. PTR {name}" for name in names))(query)

    with udp(respond) as lookup:
        seen = lookup.pointers("127.0.0.1", "10.0.0.9")
    assert asked == ["9.0.0.10.in-addr.arpa. IN PTR"]
    assert seen.value == ("docker1.rack.test", "web.rack.test")
    assert seen.source == "dns @127.0.0.1: 10.0.0.9 PTR"


def test_an_address_without_a_name_is_an_answer() -> None:
    with udp(answering(rcode=dns.rcode.NXDOMAIN)) as lookup:
        seen = lookup.pointers("127.0.0.1", "10.0.0.9")
    assert (seen.value, seen.source[-8:]) == ((), "NXDOMAIN")


def test_one_lost_datagram_is_no_verdict() -> None:
    lost = iter([True])

    def respond(query: dns.message.Message) -> dns.message.Message | None:
        return None if next(lost, False) else answering("web.rack.test. A 10.0.0.9")(query)

    with udp(respond) as lookup:
        assert lookup.ask("127.0.0.1", "web.rack.test").value == ("10.0.0.9",)


def test_silence_is_a_timeout_and_bounded() -> None:
    with udp(lambda _: None) as lookup:
        began = time.monotonic()
        seen = lookup.ask("127.0.0.1", "web.rack.test")
        assert (seen.value, seen.error) == (None, "timeout")
        assert time.monotonic() - began < 2


def test_an_answer_that_does_not_fit_is_asked_for_over_tcp() -> None:
    records = [f"big.rack.test. A 10.0.1.{number}" for number in range(200)]

    def truncated(query: dns.message.Message) -> dns.message.Message:
        response = dns.message.make_response(query)
        response.flags |= dns.flags.TC
        return response

    with _running(socketserver.TCPServer(("127.0.0.1", 0), _Tcp), answering(*records)) as port:
        server = socketserver.UDPServer(("127.0.0.1", port), _Udp)
        with _running(server, truncated):
            seen = DnsLookup(timeout_s=2, port=port).ask("127.0.0.1", "big.rack.test")
    assert seen.value is not None
    assert len(seen.value) == 200


def test_an_address_without_a_route_is_an_error() -> None:
    assert DnsLookup(timeout_s=0.3, port=1).ask("255.255.255.255", "a.test").error
