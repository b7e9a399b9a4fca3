"""Who offers addresses on a wire: every server that answers a client it has never seen."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from blackstart.drivers.dhcp_client import DhcpClient, Wire
from blackstart.model.facts import Observed

WINDOW_S = 4.0
"""A server may ping an address for a second before it offers it (dhcpd.conf(5), ping-check)."""


class DhcpOffers:
    """``OfferLook`` with a client of our own."""

    def __init__(self, *, window_s: float = WINDOW_S, wire: Callable[[str], Wire] = Wire) -> None:
        """``window_s`` is how long each look lasts: a second server must be heard as well."""
        self._window_s = window_s
        self._wire = wire

    def look(self, interface: str) -> Observed[tuple[str, ...]]:
        """All servers that offer; none is an answer. This machine's own trouble is an error."""
        source = f"dhcp {interface}: DISCOVER, {self._window_s:g} s"
        try:
            offers = asyncio.run(DhcpClient(self._wire(interface)).offers(self._window_s))
        except OSError as error:
            return Observed(source=source, error=f"this machine cannot ask: {error.strerror}")
        return Observed(source=source, value=tuple(str(offer.server) for offer in offers))
