"""Which guests stand in for each other, and how many of them must remain."""

from __future__ import annotations

from collections.abc import Iterable

from blackstart.model.inventory import Inventory
from blackstart.model.observed import Record
from blackstart.model.subjects import guest_behind


class Group(Record):
    """Guests that do the same; ``needed`` of them must be up for any of it to work."""

    members: tuple[str, ...]
    needed: int = 1


def groups(inventory: Inventory) -> dict[str, Group]:
    """Every declared group of two guests or more, by name.

    Name servers and DHCP servers work with one; k3s servers need a majority (etcd); of what
    must never go down one must answer. A member that is no guest stands for itself.
    """
    servers = inventory.dns.servers.values() if inventory.dns else ()
    found = {
        "dns": Group(members=_guests(server.guest for server in servers)),
        "dhcp": Group(members=_guests(server.guest for server in inventory.dhcp.values())),
    }
    if inventory.k3s is not None:
        members = _guests(inventory.k3s.servers)
        found["k3s"] = Group(members=members, needed=len(members) // 2 + 1)
    for name, promise in inventory.never_down.items():
        behind = [guest_behind(inventory, subject) for subject in promise.any_of]
        # Something that is no guest's survives any hypervisor: nothing can take the whole group.
        if None not in behind:
            found[f"never-down/{name}"] = Group(members=_guests(behind))
    return {name: group for name, group in found.items() if len(group.members) > 1}


def _guests(names: Iterable[str | None]) -> tuple[str, ...]:
    return tuple(sorted({name for name in names if name is not None}))


def critical_guests(inventory: Inventory) -> dict[str, str]:
    """Guests without which others do not come up, and what each of them serves."""
    found: dict[str, str] = {}
    if inventory.maas is not None and inventory.maas.guest is not None:
        found[inventory.maas.guest] = "MAAS"
    for server in inventory.dns.servers.values() if inventory.dns else ():
        if server.guest is not None:
            found[server.guest] = "DNS"
    for dhcp in inventory.dhcp.values():
        if dhcp.guest is not None:
            found[dhcp.guest] = "DHCP"
    for name, promise in inventory.never_down.items():
        for subject in promise.any_of:
            guest = guest_behind(inventory, subject)
            if guest is not None:
                found[guest] = name
    return found
