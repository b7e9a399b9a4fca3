"""DNS: exactly the declared addresses, names in turn, never more than five a second."""

from __future__ import annotations

import dns.rcode
import pytest

from blackstart.drivers.clock import SystemClock
from blackstart.probes.dns import DnsProbe
from blackstart.probes.runner import ProbeRunner
from tests.unit.probes.servers import LOOPBACK, DnsServer
from tests.unit.probes.watching import until

ZONE = {"app1.rack.test": ["10.77.0.80"], "web.rack.test": ["10.77.0.60", "10.77.0.61"]}


def probe(port: int, timeout_s: float = 1.0) -> DnsProbe:
    names = {name: frozenset(addresses) for name, addresses in ZONE.items()}
    return DnsProbe("dns maas", "dns/maas", LOOPBACK, names, timeout_s, port)


async def test_every_declared_name_is_asked_in_turn() -> None:
    async with DnsServer(ZONE) as server:
        asking = probe(server.port)
        assert [(await asking.ask()).ok for _ in range(4)] == [True] * 4
        assert [name for _, name in server.asked] == [*ZONE, *ZONE]


async def test_another_address_a_missing_name_and_a_refusing_server_are_down() -> None:
    async with DnsServer({"app1.rack.test": ["10.77.0.81"]}) as server:
        asking = probe(server.port)
        assert (await asking.ask()).detail == "app1.rack.test: 10.77.0.81 instead of 10.77.0.80"
        assert "no address instead of" in (await asking.ask()).detail
        server.rcode = dns.rcode.SERVFAIL
        assert (await asking.ask()).detail == "app1.rack.test: SERVFAIL"


async def test_server_that_is_gone_is_down_within_the_bound() -> None:
    async with DnsServer(ZONE) as server:
        asking = probe(server.port, timeout_s=0.2)
    answer = await asking.ask()
    assert not answer.ok
    assert answer.detail.startswith("app1.rack.test:")


async def test_at_most_five_queries_a_second_whatever_the_rate() -> None:
    async with DnsServer(ZONE) as server:
        runner = ProbeRunner([probe(server.port)], SystemClock(), rate_hz=20.0)
        runner.start()
        await until(lambda: len(server.asked) >= 11, bound_s=10.0)
        runner.stop()
        times = [at for at, _ in server.asked]
    assert times[10] - times[0] == pytest.approx(2.0, abs=0.5)


def test_probe_without_names_is_refused() -> None:
    with pytest.raises(ValueError, match="no names"):
        DnsProbe("dns maas", "dns/maas", LOOPBACK, {}, 1.0)
