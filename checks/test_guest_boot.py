"""Would every guest start when its node does? Nothing here changes anything."""

from __future__ import annotations

import pytest

from blackstart.checking import guest_facts, known
from blackstart.model.facts import SiteFacts
from blackstart.model.inventory import Inventory

pytestmark = pytest.mark.check


def test_guest_starts_with_its_node(guest: str, facts: SiteFacts, inventory: Inventory) -> None:
    """Not ``onboot`` stays off after a reboot (outage of April 2026; qm(1), onboot)."""
    onboot = guest_facts(facts, guest).onboot
    declared = inventory.guests[guest]
    command = "qm" if declared.kind == "qemu" else "pct"
    fix = f"{command} set {declared.vmid} --onboot 1"
    assert known(onboot), f"{guest} would stay off ({onboot.source}); {fix}"


def test_uefi_guest_has_its_efi_disk(guest: str, facts: SiteFacts, inventory: Inventory) -> None:
    """Without it a guest loses its boot entries at each start (outage of December 2025)."""
    config = guest_facts(facts, guest).config
    fix = f"qm set {inventory.guests[guest].vmid} --efidisk0 STORE:1,efitype=4m"
    uefi = known(config).get("bios") == "ovmf"
    assert not uefi or "efidisk0" in known(config), (
        f"{guest} has UEFI firmware and no efidisk0 ({config.source}); {fix}"
    )


def test_guest_is_not_locked(guest: str, facts: SiteFacts, inventory: Inventory) -> None:
    """A stale lock stops the start task: ``VM is locked``."""
    config = guest_facts(facts, guest).config
    lock = known(config).get("lock")
    fix = f"if no {lock} runs: qm unlock {inventory.guests[guest].vmid}"
    assert lock is None, f"{guest} is locked ({lock}, {config.source}); {fix}"
