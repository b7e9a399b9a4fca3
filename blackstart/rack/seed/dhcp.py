"""DHCP of the site: who gets an address from where, and for how long."""

from __future__ import annotations

DIRECTORY = "var/snap/maas/common/maas"
LEASE_S = 120
"""MAAS' default is 600. A client renews after half of it, and "DHCP is away for longer than a
lease" has to fit into a drill."""
POOL = (200, 220)  # hosts of the network
