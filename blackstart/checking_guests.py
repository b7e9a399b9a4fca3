"""What checks of guests are written with: the guest's row, its plan, what its start opens."""

from __future__ import annotations

from collections.abc import Iterable

from blackstart.checking import known
from blackstart.errors import Unproven
from blackstart.model.guest_stores import trouble
from blackstart.model.guest_volumes import Opened, opened
from blackstart.model.inventory import Inventory
from blackstart.model.proxmox_facts import GuestRow, HypervisorFacts, ProxmoxFacts
from blackstart.model.proxmox_rights import grant

_SHOWN_TO_AUDITORS = ("iso", "vztmpl", "import")


def row_of(proxmox: ProxmoxFacts, inventory: Inventory, guest: str) -> GuestRow:
    """The guest as the cluster lists it. Raises ``Unproven`` when it does not."""
    declared = inventory.guests[guest]
    for row in known(proxmox.guests):
        if (row.kind, row.vmid) == (declared.kind, declared.vmid):
            return row
    raise Unproven(f"{proxmox.guests.source}: there is no {declared.kind} {declared.vmid}")


def config_of(proxmox: ProxmoxFacts, row: GuestRow) -> dict[str, str]:
    """With what it would start. Raises ``Unproven`` when nobody could read it."""
    if row.path not in proxmox.plans:
        raise Unproven(f"nobody read the configuration of {row.path} on {row.node}")
    return known(proxmox.plans[row.path].config)


def where_configured(proxmox: ProxmoxFacts, row: GuestRow) -> str:
    """Where that was read."""
    return proxmox.plans[row.path].config.source


def node_facts(proxmox: ProxmoxFacts, node: str) -> HypervisorFacts:
    """What a node says of itself. Raises ``Unproven`` when the cluster does not know it."""
    known(proxmox.online)
    if node not in proxmox.hypervisors:
        raise Unproven(f"{proxmox.online.source}: there is no node {node}")
    return proxmox.hypervisors[node]


def managed(proxmox: ProxmoxFacts, row: GuestRow) -> bool:
    """Whether high availability starts it, and not its node."""
    return row.sid in {item.sid for item in known(proxmox.high_availability).managed}


def opened_by(proxmox: ProxmoxFacts, row: GuestRow) -> tuple[Opened, ...]:
    """Everything on a store that its start opens; snapshots of memory too."""
    return tuple(it for it in opened(config_of(proxmox, row)) if not it.is_path)


def store_trouble(proxmox: ProxmoxFacts, row: GuestRow, item: Opened) -> str | None:
    """Why the guest's node cannot use the store of something that its start opens."""
    definitions, states = known(proxmox.stores), known(node_facts(proxmox, row.node).stores)
    return trouble(item, row.node, definitions, states)


def gone(proxmox: ProxmoxFacts, row: GuestRow, items: Iterable[Opened]) -> list[Opened]:
    """Which of these are not on their store; stores in trouble are another check's.

    Raises ``Unproven`` where a list could not be read, or may hide them from this token.
    """
    missing = []
    for item in items:
        if store_trouble(proxmox, row, item) is not None:
            continue
        place = f"{row.node}/{item.store}"
        if place not in proxmox.content:
            raise Unproven(f"nobody looked into {item.store} on {row.node}")
        if item.volid not in {volume.volid for volume in known(proxmox.content[place])}:
            _must_be_shown(proxmox, row, item)
            missing.append(item)
    return missing


def _must_be_shown(proxmox: ProxmoxFacts, row: GuestRow, item: Opened) -> None:
    if item.content in _SHOWN_TO_AUDITORS:
        return
    store, vm = f"/storage/{item.store}", f"/vms/{row.vmid}"
    if "Datastore.Allocate" in rights(proxmox, store):
        return
    if item.content == "snippets":
        needed = grant(proxmox.who, store, "Datastore.Allocate")
    elif "Datastore.Audit" in rights(proxmox, store) and "VM.Config.Disk" in rights(proxmox, vm):
        return
    else:
        needed = grant(proxmox.who, vm, "VM.Config.Disk")
    raise Unproven(f"the token would not see {item.volid} if it were there: {needed}")


def rights(proxmox: ProxmoxFacts, path: str) -> tuple[str, ...]:
    """What the token may do on a path. Raises ``Unproven`` when nobody asked."""
    if path not in proxmox.rights:
        raise Unproven(f"nobody asked what the token may do on {path}")
    return known(proxmox.rights[path])
