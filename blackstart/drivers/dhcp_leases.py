"""A lease that is really taken and renewed, by a client that gives it back.

An offer is not a lease: a server that cannot write its lease file offers, and acknowledges
nothing. This is what a guest goes through when it boots and when its lease is half over.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from ipaddress import IPv4Address

from blackstart.drivers.bounded import within
from blackstart.drivers.dhcp_client import DhcpClient, Lease, Wire
from blackstart.errors import Rejected, TimedOut
from blackstart.model.dhcp_facts import LeaseTrial
from blackstart.model.observed import Observed

ANSWER_S = 6.0
"""For each of offer, lease and renewal: asked every 2 s, and a server may ping for one."""
GRACE_S = 3.0


class DhcpLeases:
    """``LeaseAttempt`` with a client of our own."""

    def __init__(self, *, answer_s: float = ANSWER_S, wire: Callable[[str], Wire] = Wire) -> None:
        """``answer_s`` bounds each of the three questions."""
        self._answer_s = answer_s
        self._wire = wire

    def attempt(self, interface: str, server: IPv4Address) -> Observed[LeaseTrial]:
        """Take, renew and give back one lease. This machine's own trouble is an error."""
        source = f"dhcp {interface}: REQUEST to {server}"
        client = DhcpClient(self._wire(interface))
        try:
            # In a thread: whoever interrupts the drill meanwhile leaves no lease behind.
            trial = within(
                lambda: asyncio.run(self._attempt(client, server)),
                timeout_s=3 * self._answer_s + GRACE_S,
                what=f"dhcp {interface}",
            )
        except TimedOut as error:
            return Observed(source=source, error=str(error))
        except OSError as error:
            return Observed(source=source, error=f"this machine cannot ask: {error.strerror}")
        return Observed(source=source, value=trial)

    async def _attempt(self, client: DhcpClient, server: IPv4Address) -> LeaseTrial:
        offers = await client.offers(self._answer_s, until=server)
        offered = next((offer for offer in offers if offer.server == server), None)
        if offered is None:
            return LeaseTrial(refused=f"made no offer within {self._answer_s:g} s")
        try:
            return await self._keep(client, offered)
        finally:
            # Also what was not acknowledged: that may have been lost on the way here.
            client.give_back(offered)

    async def _keep(self, client: DhcpClient, offered: Lease) -> LeaseTrial:
        address = str(offered.address)
        try:
            taken = await client.take(offered, self._answer_s)
        except (Rejected, TimedOut) as error:
            return LeaseTrial(address=address, refused=f"offered, and gave no lease: {error}")
        try:
            kept = await client.keep(taken, self._answer_s)
        except (Rejected, TimedOut) as error:
            return LeaseTrial(address=address, refused=f"gave a lease, and renewed it not: {error}")
        return LeaseTrial(address=address, lease_s=kept.lease_s)
