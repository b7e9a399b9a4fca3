"""Would every guest start when its node does? Nothing here changes anything.

What its start opens (disks, stores, devices) is in ``test_guest_volumes.py``.
"""

from __future__ import annotations

import pytest

from blackstart.checking import expect, guest_facts, known
from blackstart.checking_guests import config_of, managed, node_facts, row_of, where_configured
from blackstart.model.facts import SiteFacts
from blackstart.model.guest_volumes import boot_order, pinned_machine
from blackstart.model.inventory import Inventory
from blackstart.model.proxmox_facts import ProxmoxFacts

pytestmark = pytest.mark.check

NOT_STARTED = ("stopped", "disabled", "ignored")
AILING = ("error", "fence", "recovery")


def _tool(inventory: Inventory, guest: str) -> str:
    return "qm" if inventory.guests[guest].kind == "qemu" else "pct"


@pytest.mark.claim(
    severity="critical", breaks="boot", incident="2026-04-13-nas-mounts-after-power-loss"
)
def test_guest_starts_with_its_node(
    guest: str, facts: SiteFacts, proxmox: ProxmoxFacts, inventory: Inventory
) -> None:
    """A guest that runs now is ``onboot``, unless high availability starts it (qm(1))."""
    onboot = guest_facts(facts, guest).onboot
    declared = inventory.guests[guest]
    expect(
        known(onboot) or managed(proxmox, row_of(proxmox, inventory, guest)),
        f"{guest} would stay off",
        evidence=onboot.source,
        fix=f"{_tool(inventory, guest)} set {declared.vmid} --onboot 1",
    )


@pytest.mark.claim(severity="critical", breaks="boot")
def test_guest_is_started_by_high_availability(
    guest: str, proxmox: ProxmoxFacts, inventory: Inventory
) -> None:
    """High availability starts what is requested ``started`` and not in error (ha-manager(1))."""
    row = row_of(proxmox, inventory, guest)
    services = {item.sid: item for item in known(proxmox.high_availability).managed}
    if row.sid not in services:
        pytest.skip(f"{guest} is not managed ({proxmox.high_availability.source})")
    service = services[row.sid]
    expect(
        service.requested not in NOT_STARTED and service.state not in (*NOT_STARTED, *AILING),
        f"{guest} is requested {service.requested} and is {service.state}",
        evidence=proxmox.high_availability.source,
        fix=f"ha-manager set {row.sid} --state disabled; mend it, then ha-manager set {row.sid} "
        "--state started",
    )


@pytest.mark.claim(severity="critical", breaks="boot")
def test_guest_is_not_locked(guest: str, facts: SiteFacts, inventory: Inventory) -> None:
    """No lock holds the guest that outlives a boot; a lock of ``backup`` is cleared then, and what
    is ``suspended`` to disk goes on (PVE::QemuServer, vm_start)."""
    config = guest_facts(facts, guest).config
    lock = known(config).get("lock")
    expect(
        lock in (None, "backup", "suspended"),
        f"{guest} is locked ({lock})",
        evidence=config.source,
        fix=f"if no {lock} runs: {_tool(inventory, guest)} unlock {inventory.guests[guest].vmid}",
    )


@pytest.mark.claim(severity="critical", breaks="boot")
def test_guest_runs_once_it_is_started(guest: str, facts: SiteFacts, inventory: Inventory) -> None:
    """``freeze`` starts a guest stopped, a template is never started (qm.conf(5))."""
    config = guest_facts(facts, guest).config
    values, vmid = known(config), inventory.guests[guest].vmid
    holding = [key for key in ("freeze", "template") if values.get(key) == "1"]
    expect(
        not holding,
        f"{guest} is set to {' and '.join(holding)}",
        evidence=config.source,
        fix=f"{_tool(inventory, guest)} set {vmid} --delete freeze"
        if holding == ["freeze"]
        else f"clone the template and declare the clone: qm clone {vmid} NEW",
    )


@pytest.mark.claim(severity="critical", breaks="boot")
def test_guest_boots_from_a_disk_that_it_has(
    guest: str, proxmox: ProxmoxFacts, inventory: Inventory
) -> None:
    """The first device of the boot order that is there is a disk (qm(1), Device Boot Order)."""
    row = row_of(proxmox, inventory, guest)
    config = config_of(proxmox, row)
    order = boot_order(config)
    if row.kind == "lxc" or not order:
        pytest.skip(f"{guest} has no boot order ({where_configured(proxmox, row)})")
    there = [key for key in order if key in config and not config[key].startswith("none")]
    first = there[0] if there else None
    expect(
        first is not None and not first.startswith("net") and "media=cdrom" not in config[first],
        f"{guest} would try {first or 'nothing'} first (boot: {config['boot']})",
        evidence=where_configured(proxmox, row),
        fix=f"qm set {row.vmid} --boot 'order=DISK;...'",
    )


@pytest.mark.claim(severity="critical", breaks="boot")
def test_pinned_machine_is_known(guest: str, proxmox: ProxmoxFacts, inventory: Inventory) -> None:
    """QEMU on the guest's node still has the machine version that it is pinned to: old ones are
    taken out, and the guest that runs does not notice (qm(1), Machine Type)."""
    row = row_of(proxmox, inventory, guest)
    pinned = pinned_machine(config_of(proxmox, row))
    if pinned is None:
        pytest.skip(f"{guest} takes any machine ({where_configured(proxmox, row)})")
    machines = node_facts(proxmox, row.node).machines
    expect(
        pinned in {name.partition("+")[0] for name in known(machines)},
        f"{row.node} has no machine {pinned}, and {guest} starts on no other",
        evidence=(where_configured(proxmox, row), machines.source),
        fix=f"qm set {row.vmid} --machine NEWER; of Windows see to its network cards afterwards",
    )


@pytest.mark.claim(severity="warning", breaks="boot")
def test_no_change_waits_for_the_next_start(
    guest: str, proxmox: ProxmoxFacts, inventory: Inventory
) -> None:
    """A change that waits is applied by the reboot, whoever has forgotten it (qm(1), pending)."""
    row = row_of(proxmox, inventory, guest)
    config_of(proxmox, row)
    pending = proxmox.plans[row.path].pending
    waiting = [
        f"{change.key}: {change.now or 'nothing'} -> {change.then or 'nothing'}"
        for change in known(pending)
    ]
    expect(
        not waiting,
        f"the next start of {guest} changes {'; '.join(waiting)}",
        evidence=pending.source,
        fix=f"if it is not meant: {_tool(inventory, guest)} set {row.vmid} --revert "
        f"{','.join(change.key for change in known(pending))}",
    )


@pytest.mark.claim(severity="warning", breaks="visibility")
def test_guest_lives_where_it_is_declared(
    guest: str, proxmox: ProxmoxFacts, inventory: Inventory
) -> None:
    """What a reboot takes down is told by the inventory, so that it must say where guests are."""
    declared = inventory.guests[guest]
    rows = {(row.kind, row.vmid): row for row in known(proxmox.guests)}
    row = rows.get((declared.kind, declared.vmid))
    if row is not None and row.node != declared.node and managed(proxmox, row):
        pytest.skip(f"{guest} moves by itself ({proxmox.high_availability.source})")
    expect(
        row is not None and row.node == declared.node,
        f"{guest} is declared on {declared.node} and is on {row.node if row else 'no node'}",
        evidence=proxmox.guests.source,
        fix=f"correct guests.{guest}.node in the inventory, or migrate it back",
        touches=(declared.node, row.node if row else declared.node),
    )
