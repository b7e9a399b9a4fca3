"""Names of what is probed: ``node/pve1``, ``guest/maas``, ``dns/dns2``, ``mount/media``."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from blackstart.model.inventory import Inventory, NfsMount

SubjectKind = Literal["node", "guest", "dns", "dhcp", "service", "mount"]


def subject(kind: SubjectKind, name: str) -> str:
    """The subject's full name, the same in probes, samples, invariants and reports."""
    return f"{kind}/{name}"


def guest_behind(inventory: Inventory, full_name: str) -> str | None:
    """The guest without which a subject cannot be well; ``None`` for hosts and outsiders."""
    kind, _, name = full_name.partition("/")
    if kind == "guest":
        return name
    if kind == "dns" and inventory.dns is not None:
        return inventory.dns.servers[name].guest
    if kind == "dhcp":
        return inventory.dhcp[name].guest
    if kind == "service":
        return inventory.services[name].guest
    if kind == "mount" and inventory.mounts[name].host in inventory.guests:
        return inventory.mounts[name].host
    return None


def hosts_asked(inventory: Inventory) -> tuple[str, ...]:
    """Hosts that are asked by ssh: every node, and the running guests with ``ssh: true``."""
    guests = (name for name, guest in inventory.guests.items() if guest.ssh and guest.running)
    return (*inventory.nodes, *guests)


def mounts_asked(inventory: Inventory) -> dict[str, NfsMount]:
    """The declared mounts, by name; not those on guests that are meant to be off."""
    off = {name for name, guest in inventory.guests.items() if not guest.running}
    return {name: mount for name, mount in inventory.mounts.items() if mount.host not in off}


class Subject(BaseModel):
    """A subject, by its full name, in the tree of what carries what.

    ``under`` is the full name of the subject that carries it; ``budget_s`` the seconds
    from injection in which it must be back.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    under: str | None
    budget_s: float


def subjects_of(inventory: Inventory) -> tuple[Subject, ...]:
    """Everything that is probed, hosts first; guests meant to be off, and theirs, are not."""

    def behind(full_name: str) -> str | None:
        guest = guest_behind(inventory, full_name)
        return None if guest is None else subject("guest", guest)

    found = [
        Subject(name=subject("node", name), under=None, budget_s=node.boot_budget)
        for name, node in inventory.nodes.items()
    ]
    found += [
        Subject(
            name=subject("guest", name), under=subject("node", guest.node), budget_s=guest.budget
        )
        for name, guest in inventory.guests.items()
        if guest.running
    ]
    served: list[tuple[SubjectKind, str, float]] = [
        ("dns", name, server.budget)
        for name, server in (inventory.dns.servers if inventory.dns else {}).items()
    ]
    served += [("dhcp", name, server.budget) for name, server in inventory.dhcp.items()]
    served += [("service", name, service.budget) for name, service in inventory.services.items()]
    found += [
        Subject(name=subject(kind, name), under=behind(subject(kind, name)), budget_s=budget_s)
        for kind, name, budget_s in served
    ]
    found += [
        Subject(
            name=subject("mount", name),
            under=behind(subject("mount", name)) or subject("node", mount.host),
            budget_s=mount.budget,
        )
        for name, mount in mounts_asked(inventory).items()
    ]
    return tuple(found)
