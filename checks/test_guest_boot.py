"""Would every guest start when its node does? Nothing here changes anything."""

from __future__ import annotations

import pytest

from blackstart.checking import expect, guest_facts, known
from blackstart.model.facts import SiteFacts
from blackstart.model.inventory import Inventory

pytestmark = pytest.mark.check


@pytest.mark.claim(
    severity="critical", breaks="boot", incident="2026-04-13-nas-mounts-after-power-loss"
)
def test_guest_starts_with_its_node(guest: str, facts: SiteFacts, inventory: Inventory) -> None:
    """A guest that runs now is ``onboot``: otherwise it stays off after a reboot (qm(1))."""
    onboot = guest_facts(facts, guest).onboot
    declared = inventory.guests[guest]
    command = "qm" if declared.kind == "qemu" else "pct"
    expect(
        known(onboot),
        f"{guest} would stay off",
        evidence=onboot.source,
        fix=f"{command} set {declared.vmid} --onboot 1",
    )


@pytest.mark.claim(severity="critical", breaks="boot", incident="2025-12-07-missing-efi-disk")
def test_uefi_guest_has_its_efi_disk(guest: str, facts: SiteFacts, inventory: Inventory) -> None:
    """A guest with UEFI firmware has an EFI disk: without it, its boot entries are gone."""
    config = guest_facts(facts, guest).config
    uefi = known(config).get("bios") == "ovmf"
    expect(
        not uefi or "efidisk0" in known(config),
        f"{guest} has UEFI firmware and no efidisk0",
        evidence=config.source,
        fix=f"qm set {inventory.guests[guest].vmid} --efidisk0 STORE:1,efitype=4m",
    )


@pytest.mark.claim(severity="critical", breaks="boot")
def test_guest_is_not_locked(guest: str, facts: SiteFacts, inventory: Inventory) -> None:
    """No stale lock holds the guest: its start task would fail with ``VM is locked``."""
    config = guest_facts(facts, guest).config
    lock = known(config).get("lock")
    expect(
        lock is None,
        f"{guest} is locked ({lock})",
        evidence=config.source,
        fix=f"if no {lock} runs: qm unlock {inventory.guests[guest].vmid}",
    )
