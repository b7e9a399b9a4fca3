"""A DHCP server, asked as a machine asks that nobody knows: does it offer an address?

A DISCOVER and no more: nothing is accepted, so that no lease is written. A server that cannot
write its lease file offers and never acknowledges; that it also *gives* is seen by who renews
(``drivers/dhcp_leases.py``, where the inventory allows it).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import IPv4Address

from blackstart.drivers.dhcp_client import DhcpClient, Wire
from blackstart.errors import ProbeBroken
from blackstart.probes.base import Answer

MAX_DISCOVERS_HZ = 0.2
"""Every question is two lines in the server's log, and a ping where it checks addresses."""
RACK_DISCOVERS_HZ = 1.0
SHORTEST_S = 3.0
"""A server may ping an address for a second before it offers it (dhcpd.conf(5), ping-check)."""


@dataclass(slots=True)
class DhcpProbe:
    """Whether the server at an address offers within ``timeout_s`` seconds."""

    name: str
    subject: str
    wire: Wire
    server: IPv4Address
    timeout_s: float
    max_rate_hz: float | None = MAX_DISCOVERS_HZ
    kind: str = "dhcp"
    _client: DhcpClient = field(init=False)

    def __post_init__(self) -> None:
        self.timeout_s = max(self.timeout_s, SHORTEST_S)
        self._client = DhcpClient(self.wire)

    async def ask(self) -> Answer:
        """Ask once. Raises ``ProbeBroken`` when this machine cannot."""
        try:
            offers = await self._client.offers(self.timeout_s, until=self.server)
        except OSError as error:
            where = self.wire.interface
            raise ProbeBroken(f"this machine cannot ask for DHCP on {where}: {error}") from error
        servers = [str(offer.server) for offer in offers]
        if str(self.server) in servers:
            return Answer(True)
        said = f"no offer within {self.timeout_s:g} s"
        return Answer(False, f"{said}; {', '.join(servers)} offered" if servers else said)

    async def close(self) -> None:
        """Nothing stays open between questions."""
