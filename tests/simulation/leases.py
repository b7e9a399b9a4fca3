"""Leases of simulated guests: given by a DHCP server that runs, renewed at half time, or lost."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from blackstart.model.inventory import Inventory

if TYPE_CHECKING:
    from .world import World

LEASE_S = 120.0
CLIENT, SERVER = "systemd-networkd.service", "isc-dhcp-server.service"


@dataclass
class Leases:
    """When each client's lease ends (the world's seconds); servers of names have none."""

    ends: dict[str, float]
    served_by: tuple[str, ...]
    asking: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, inventory: Inventory, now: float) -> Leases:
        named = {it.guest for it in inventory.dns.servers.values()} if inventory.dns else set()
        serving = {it.guest for it in inventory.dhcp.values() if it.guest is not None}
        static = named | serving | ({inventory.maas.guest} if inventory.maas else set())
        clients = [name for name in inventory.guests if name not in static]
        return cls(dict.fromkeys(clients, now + LEASE_S), tuple(sorted(serving)))

    def begins(self, name: str, at: float) -> None:
        """A client that boots has a fresh one."""
        if name in self.ends:
            self.ends[name] = at + LEASE_S
            self.asking.discard(name)

    def asks_anew(self, world: World, name: str) -> None:
        """A client was restarted: without an address until it has a lease."""
        if name in self.ends:
            self.asking.add(name)
            world.guests[name].address = ""

    def tick(self, world: World) -> None:
        """Clients whose lease is half over ask; those whose lease has ended are without."""
        now = world.clock.now
        for name, ends in self.ends.items():
            if ends - now > LEASE_S / 2 and name not in self.asking:
                continue
            if not world.guest_up(name) or not world.hosts[name].active(CLIENT):
                continue
            if name not in world.lies.no_lease and self._served(world):
                self._given(world, name)
            elif ends <= now:
                world.guests[name].address = ""

    def _served(self, world: World) -> bool:
        """Without a declared server somebody unknown serves, always."""
        if not self.served_by:
            return True
        return any(world.guest_up(it) and world.hosts[it].active(SERVER) for it in self.served_by)

    def _given(self, world: World, name: str) -> None:
        starts = [world.hosts[it].units[SERVER].invocation for it in self.served_by]
        address = world.guests[name].address or str(world.inventory.guests[name].address)
        if max(starts, default=1) > 1:
            address = world.lies.purged.get(name, address)
        world.guests[name].address = address
        self.begins(name, world.clock.now)
