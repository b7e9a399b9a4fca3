"""TCP: connects where it may, and never to a secure shell."""

from __future__ import annotations

import pytest

from blackstart.errors import ProbeBroken, UsageError
from blackstart.probes.base import Answer
from blackstart.probes.tcp import TcpProbe
from tests.unit.probes.servers import LOOPBACK, TcpServer


def probe(port: int, ssh_ports: frozenset[int] = frozenset()) -> TcpProbe:
    return TcpProbe("tcp web", "service/web", LOOPBACK, port, 1.0, ssh_ports)


async def test_listening_port_is_up_and_a_closed_one_down() -> None:
    async with TcpServer() as server:
        asking = probe(server.port)
        assert (await asking.ask()).ok
    assert await asking.ask() == Answer(False, "Connection refused")


@pytest.mark.parametrize(("port", "declared"), [(22, frozenset()), (2222, frozenset({2222}))])
def test_port_of_a_secure_shell_is_refused(port: int, declared: frozenset[int]) -> None:
    with pytest.raises(UsageError, match="secure shell"):
        probe(port, declared)


async def test_secure_shell_behind_another_port_is_met_once_and_never_again() -> None:
    async with TcpServer(greeting=b"SSH-2.0-OpenSSH_10.0\r\n") as server:
        asking = probe(server.port)
        for _ in range(5):
            with pytest.raises(ProbeBroken, match="secure shell"):
                await asking.ask()
        assert server.connections == 1


async def test_refusal_by_this_machines_own_kernel_is_no_outage() -> None:
    # connect(2): EACCES for a broadcast address; nothing leaves the machine.
    asking = TcpProbe("tcp web", "service/web", "255.255.255.255", 80, 1.0)
    with pytest.raises(ProbeBroken, match="this machine cannot ask"):
        await asking.ask()
