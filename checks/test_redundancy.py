"""Do guests that stand in for each other share what can be lost at once?"""

from __future__ import annotations

import pytest

from blackstart.checking import expect, guest_facts, known
from blackstart.checking_guests import opened_by, row_of
from blackstart.errors import Unproven
from blackstart.model.facts import SiteFacts
from blackstart.model.inventory import Inventory
from blackstart.model.proxmox_facts import ProxmoxFacts
from blackstart.model.redundancy import Group, groups

pytestmark = pytest.mark.check

PAIRS = "2026-04-13-nas-mounts-after-power-loss"


@pytest.mark.claim(severity="warning", breaks="redundancy", incident=PAIRS)
def test_group_survives_any_one_host(
    redundancy_group: str, facts: SiteFacts, inventory: Inventory
) -> None:
    """The pair is on two hosts: one reboot must not take both."""
    group = _guests_only(redundancy_group, inventory)
    nodes = {member: guest_facts(facts, member).node for member in group.members}
    lost = group.lost_with({member: (known(node),) for member, node in nodes.items()})
    expect(
        not lost,
        _told(redundancy_group, group, lost),
        evidence=tuple(sorted({node.source for node in nodes.values()})),
        fix="migrate one of them to another node: qm migrate VMID NODE, or pct migrate",
        touches=(*group.members, *lost),
    )


@pytest.mark.claim(severity="warning", breaks="redundancy", incident=PAIRS)
def test_group_survives_any_one_store(
    redundancy_group: str, proxmox: ProxmoxFacts, inventory: Inventory
) -> None:
    """The pair is on two stores and behind two servers; a store of one node goes with its host."""
    group = _guests_only(redundancy_group, inventory)
    shared = {store.name: store for store in known(proxmox.stores) if store.shared}
    places: dict[str, set[str]] = {}
    for member in group.members:
        row = row_of(proxmox, inventory, member)
        stores = [
            shared[item.store]
            for item in opened_by(proxmox, row)
            if item.store in shared and not item.cdrom
        ]
        servers = {f"server {host}" for store in stores for host in store.servers}
        places[member] = {f"store {store.name}" for store in stores} | servers
    lost = group.lost_with(places)
    expect(
        not lost,
        _told(redundancy_group, group, lost),
        evidence=(proxmox.stores.source, proxmox.guests.source),
        fix="move the disks of one of them: qm disk move VMID DISK STORE, or pct move-volume",
        touches=group.members,
    )


def _guests_only(name: str, inventory: Inventory) -> Group:
    """The group. Raises ``Unproven`` for a member of which nobody knows where it is."""
    group = groups(inventory)[name]
    strangers = [member for member in group.members if member not in inventory.guests]
    if strangers:
        raise Unproven(
            f"where {', '.join(strangers)} of {name} runs is not known: name its guest instead"
        )
    return group


def _told(name: str, group: Group, lost: dict[str, tuple[str, ...]]) -> str:
    each = (f"{place} carries {', '.join(there)}" for place, there in lost.items())
    return f"{name} needs {group.needed} of {len(group.members)} and {'; '.join(each)}"
