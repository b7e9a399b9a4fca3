"""How a guest holds its address: until when, as its own kernel counts it.

A DHCP client gives an address the lifetime of its lease (ip-address(8): ``valid_lft``), and one
that was set by hand lives for ever. So the end of the lifetime says whether there is a lease,
and whether it was renewed: only a server's answer moves it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from blackstart.drivers.base import Site
from blackstart.errors import Rejected

LOOK = "ip -j address show && cut -d' ' -f1 /proc/uptime"
LOOK_TIMEOUT_S = 15.0
FOR_EVER = 0xFFFFFFFF
"""``INFINITY_LIFE_TIME`` of linux/if_addr.h."""


@dataclass(frozen=True, slots=True)
class Lease:
    """An address that ends: ``ends_at`` in seconds of the guest's uptime, ``left_s`` from now."""

    address: str
    ends_at: float
    left_s: float


def look_at_lease(site: Site, guest: str) -> Lease | None:
    """What the guest's declared card holds; ``None`` without an address that ends.

    Of several the one that lives longest. Raises ``DriverError``.
    """
    return read_lease(site, guest, site.runner.run(guest, LOOK, timeout_s=LOOK_TIMEOUT_S).stdout)


def read_lease(site: Site, guest: str, said: str) -> Lease | None:
    """The same from what the look printed. Raises ``Rejected`` for what it never prints."""
    mac = site.inventory.guests[guest].mac
    try:
        text, _, uptime = said.strip().rpartition("\n")
        now = float(uptime)
        held = [
            Lease(str(item["local"]), now + int(item["valid_life_time"]), item["valid_life_time"])
            for card in json.loads(text)
            if str(card.get("address", "")).lower() == mac
            for item in card["addr_info"]
            if _ends(item)
        ]
    except (KeyError, TypeError, ValueError) as error:
        raise Rejected(f"{guest}: its addresses cannot be read: {said[:80]!r}") from error
    return max(held, key=lambda lease: lease.ends_at, default=None)


def _ends(item: dict[str, Any]) -> bool:
    return item.get("family") == "inet" and int(item["valid_life_time"]) < FOR_EVER
