"""Names of what is probed: ``node/pve1``, ``guest/maas``, ``dns/dns2``, ``service/web``."""

from __future__ import annotations

from typing import Literal

from blackstart.model.inventory import Inventory

SubjectKind = Literal["node", "guest", "dns", "service"]


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
    if kind == "service":
        return inventory.services[name].guest
    return None
