"""Is everything mounted, would it be mounted again, and is anything in it?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pytest

from blackstart.checking import boot_facts, expect, has_own_kernel, known
from blackstart.errors import Unproven
from blackstart.model import mounting
from blackstart.model.host_boot import FstabLine, HostBootFacts
from blackstart.model.inventory import Inventory
from blackstart.model.located import Located

pytestmark = pytest.mark.check

HostBoots = Mapping[str, HostBootFacts]
FSTAB, GENERATED = "/etc/fstab", "/run/systemd/generator"


def _cited(host: str, lines: Iterable[Located]) -> tuple[str, ...]:
    return tuple(f"ssh {host}: {line.where}" for line in lines)


def _touched(inventory: Inventory, host: str, lines: Iterable[FstabLine]) -> tuple[str, ...]:
    """The inventory's own names of the mounts at these paths."""
    paths = {line.path for line in lines}
    mounts = inventory.mounts.items()
    return tuple(name for name, item in mounts if item.host == host and item.path in paths)


@pytest.mark.claim(severity="critical", breaks="data", incident="hypervisor-down")
def test_every_entry_is_mounted(host: str, host_boots: HostBoots, inventory: Inventory) -> None:
    """What fstab mounts at boot is mounted now: else services write into the empty directory."""
    facts = boot_facts(host_boots, host)
    mounted = known(facts.mounted)
    expected = [
        line
        for line in known(facts.fstab)
        if mounting.at_boot(line) and not mounting.is_swap(line) and line.path.startswith("/")
    ]
    if not expected:
        pytest.skip(f"nothing is mounted by {facts.fstab.source}")
    wrong = [line for line in expected if mounting.on_top(mounted, line.path) is None]
    expect(
        not wrong,
        f"not mounted: {', '.join(line.path for line in wrong)}",
        evidence=(*_cited(host, wrong), facts.mounted.source),
        fix=f"mount {wrong[0].path if wrong else ''}, and see why: journalctl -b -u '*.mount'",
        touches=_touched(inventory, host, wrong),
    )


@pytest.mark.claim(severity="critical", breaks="data", incident="hypervisor-down")
def test_what_is_mounted_comes_back(host: str, host_boots: HostBoots) -> None:
    """Every disk and network file system that is mounted now is mounted at boot, by fstab or
    by a unit that something starts."""
    facts = boot_facts(host_boots, host)
    has_own_kernel(facts)
    by_hand = [
        item.target
        for item in known(facts.mounted)
        if mounting.is_lasting(item) and not _is_mounted_at_boot(facts, item.target)
    ]
    expect(
        not by_hand,
        f"mounted by hand: {', '.join(dict.fromkeys(by_hand))}",
        evidence=(facts.mounted.source, facts.fstab.source, facts.units.source),
        fix="add it to /etc/fstab (findmnt shows source, type and options), or enable its unit",
    )


def _is_mounted_at_boot(facts: HostBootFacts, path: str) -> bool:
    entries = [line for line in known(facts.fstab) if line.path == path]
    if entries:
        return any(mounting.at_boot(line) for line in entries)
    # A unit made from a line of fstab that is gone lives until systemd reads the file again.
    units = [
        unit
        for unit in known(facts.units)
        if unit.where == path and unit.file and unit.source != FSTAB
    ]
    return any(
        unit.file.startswith(GENERATED) or unit.wanted_by or unit.triggered_by for unit in units
    )


@pytest.mark.claim(
    severity="warning", breaks="data", incident="2026-04-13-nas-mounts-after-power-loss"
)
def test_mount_holds_something(host: str, host_boots: HostBoots, inventory: Inventory) -> None:
    """There is something in every file system that fstab mounts: an empty one is suspect."""
    facts = boot_facts(host_boots, host)
    content, mounted = known(facts.content), known(facts.mounted)
    lines = []
    for line in known(facts.fstab):
        top = mounting.on_top(mounted, line.path)
        if top is not None and mounting.is_lasting(top):
            lines.append(line)
    if not lines:
        pytest.skip(f"no disk or network file system of {facts.fstab.source} is mounted")
    empty = [line for line in lines if content.get(line.path) == "nothing"]
    mute = [line for line in lines if content.get(line.path, "no answer") == "no answer"]
    expect(
        not empty,
        f"nothing is in {', '.join(line.path for line in empty)}",
        evidence=(*_cited(host, empty), facts.content.source),
        fix="look on its server or disk whether it is the right one",
        touches=_touched(inventory, host, empty),
    )
    if mute:
        raise Unproven(
            f"{facts.content.source}: no answer of {', '.join(line.path for line in mute)}"
        )


@pytest.mark.claim(severity="critical", breaks="boot")
def test_no_encrypted_volume_waits_for_a_person(host: str, host_boots: HostBoots) -> None:
    """Every encrypted volume has a key that is there without anybody typing it (crypttab(5))."""
    facts = boot_facts(host_boots, host)
    entries = known(facts.crypttab)
    if not entries:
        pytest.skip(f"no entry in {facts.crypttab.source}")
    # Clevis answers in place of a person (clevis-luks-unlockers(7)).
    clevis = known(facts.unit_files).get("clevis-luks-askpass.path") == "enabled"
    wrong = [
        entry
        for entry in entries
        if not {"noauto", "nofail"} & {*entry.options}
        and not any(option.startswith(("tpm2-", "fido2-", "pkcs11-")) for option in entry.options)
        and not (entry.key.startswith("/dev/") or entry.key_there)
        and not (clevis and not entry.key)
    ]
    expect(
        not wrong,
        "; ".join(f"{entry.name} waits for {entry.key or 'a passphrase'}" for entry in wrong),
        evidence=_cited(host, wrong),
        fix="bind it to a TPM or a Tang server (systemd-cryptenroll, clevis), or add nofail",
    )


@pytest.mark.claim(severity="warning", breaks="data", incident="hypervisor-down")
def test_backups_name_no_disk_by_its_order(host: str, host_boots: HostBoots) -> None:
    """Jobs and scripts of this host name no disk as /dev/sdb: it may be another one tomorrow."""
    facts = boot_facts(host_boots, host)
    has_own_kernel(facts)
    wrong = known(facts.device_names)
    expect(
        not wrong,
        "; ".join(f"{line.where} uses {line.text}" for line in wrong),
        evidence=_cited(host, wrong),
        fix="use its name below /dev/disk/by-id (ls -l /dev/disk/by-id)",
    )
