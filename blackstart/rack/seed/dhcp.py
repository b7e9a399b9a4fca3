"""DHCP of the site: who gets an address from where, and for how long."""

from __future__ import annotations

DIRECTORY = "var/snap/maas/common/maas"
LEASE_S = 240
"""MAAS' default is 600. A client renews after half of it, so that two minutes are left at any
time: longer than its server is away when its hypervisor reboots (with 120 s the survivors lost
their addresses then, and with them the second name server). And "DHCP is away for longer than a
lease" has to fit into a drill."""
POOL = (200, 220)  # hosts of the network
