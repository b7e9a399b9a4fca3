"""Is there memory for all guests at once, and for those that would come from a lost node?"""

from __future__ import annotations

import pytest

from blackstart.checking import expect, known
from blackstart.checking_guests import config_of, managed, node_facts
from blackstart.errors import Unproven
from blackstart.model.guest_volumes import memory_mib
from blackstart.model.inventory import Inventory
from blackstart.model.proxmox_facts import GuestRow, ProxmoxFacts
from blackstart.model.readiness import Readiness

pytestmark = pytest.mark.check

MIB, GIB = 1 << 20, 1 << 30
OWN_SHARE, OWN_LEAST, OWN_MOST = 0.1, GIB // 2, 4 * GIB
"""What a hypervisor keeps for itself: a tenth, half a GiB to 4. The host of July 2025 gave 16
of its 16 GiB away, and its kernel killed the guest that served DHCP."""


@pytest.mark.claim(severity="critical", breaks="boot", incident="2025-07-29-maas-killed")
def test_guests_fit_their_host(
    hypervisor: str, proxmox: ProxmoxFacts, readiness: Readiness
) -> None:
    """All guests that start with a node fit beside what the host and ZFS need for themselves."""
    starting = [row for row in _of(proxmox, hypervisor) if _starts(proxmox, row)]
    memory = node_facts(proxmox, hypervisor).memory
    room = _room(proxmox, readiness, hypervisor)
    needed = sum(_least(proxmox, row) for row in starting)
    merged = known(memory).merged
    expect(
        needed <= room,
        f"{len(starting)} guests need {_gib(needed)} and {hypervisor} has {_gib(room)} for them"
        + (f" (KSM saves {_gib(merged)} now, and nothing right after a boot)" if merged else ""),
        evidence=(memory.source, proxmox.guests.source),
        fix="give guests less (qm set VMID --memory MIB), or one of them another node",
    )


@pytest.mark.claim(severity="warning", breaks="redundancy", incident="2025-07-29-maas-killed")
def test_guests_of_a_lost_node_fit_elsewhere(
    hypervisor: str, proxmox: ProxmoxFacts, readiness: Readiness, inventory: Inventory
) -> None:
    """What high availability starts elsewhere when this node is lost has memory there."""
    moving = [row for row in _of(proxmox, hypervisor) if managed(proxmox, row)]
    if not moving:
        pytest.skip(f"no guest of {hypervisor} moves ({proxmox.high_availability.source})")
    others = [node for node in known(proxmox.online) if node != hypervisor]
    left = {
        node: _room(proxmox, readiness, node)
        - sum(_least(proxmox, row) for row in _of(proxmox, node) if _starts(proxmox, row))
        for node in others
    }
    homeless = []
    for row in sorted(moving, key=lambda row: -_least(proxmox, row)):
        best = max(left, key=lambda node: left[node], default=None)
        if best is None or left[best] < _least(proxmox, row):
            homeless.append(f"{row.path} ({_gib(_least(proxmox, row))})")
        else:
            left[best] -= _least(proxmox, row)
    names = {(guest.kind, guest.vmid): name for name, guest in inventory.guests.items()}
    expect(
        not homeless,
        f"without {hypervisor} nobody has room for {', '.join(homeless)}",
        evidence=(proxmox.guests.source, proxmox.high_availability.source),
        fix="give a survivor more memory, or take a guest out of high availability",
        touches=tuple(names[key] for row in moving if (key := (row.kind, row.vmid)) in names),
    )


def _of(proxmox: ProxmoxFacts, node: str) -> list[GuestRow]:
    rows = known(proxmox.guests)
    return [row for row in rows if row.node == node and not row.template]


def _starts(proxmox: ProxmoxFacts, row: GuestRow) -> bool:
    """Whether it takes memory once its node is up: it runs now, or starts with it."""
    return row.running or config_of(proxmox, row).get("onboot") == "1" or managed(proxmox, row)


def _least(proxmox: ProxmoxFacts, row: GuestRow) -> int:
    """Bytes to which ballooning shrinks it when its host runs short (qm(1), Memory)."""
    return memory_mib(row.kind, config_of(proxmox, row))[0] * MIB


def _room(proxmox: ProxmoxFacts, readiness: Readiness, node: str) -> int:
    """Bytes that guests may have of a node: all but its own reserve and ZFS' cache."""
    total = known(node_facts(proxmox, node).memory).total
    own = min(max(int(total * OWN_SHARE), OWN_LEAST), OWN_MOST)
    return total - own - _cache(proxmox, readiness, node)


def _cache(proxmox: ProxmoxFacts, readiness: Readiness, node: str) -> int:
    """The most that ZFS' cache takes. Raises ``Unproven`` when there is ZFS and no ssh."""
    if node in readiness.files and readiness.files[node].value is not None:
        return known(readiness.files[node]).arc_max
    pools = node_facts(proxmox, node).pools
    if known(pools):
        raise Unproven(f"{node} has ZFS ({pools.source}) and nobody read its zfs_arc_max")
    return 0


def _gib(size: int) -> str:
    return f"{size / GIB:.1f} GiB"
