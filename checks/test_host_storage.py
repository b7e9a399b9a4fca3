"""Would what file systems lie on be there after a boot: arrays, thin pools, datasets, exports?"""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from blackstart.checking import boot_facts, expect, has_own_kernel, known
from blackstart.model.host_boot import HostBootFacts
from blackstart.model.host_units import ZFS_IMPORTS, ZFS_MOUNTS
from blackstart.model.inventory import Inventory

pytestmark = pytest.mark.check

HostBoots = Mapping[str, HostBootFacts]
KEEPS = "--clear-needs-check-flag"
BY_UUID = "/dev/disk/by-id/md-uuid-"
NFS_SERVERS = ("nfs-server.service", "nfs-kernel-server.service")


@pytest.mark.claim(severity="critical", breaks="boot")
def test_arrays_are_whole(host: str, host_boots: HostBoots) -> None:
    """Every array runs with all of its disks: a second one that fails when it spins up is data."""
    facts = boot_facts(host_boots, host)
    has_own_kernel(facts)
    arrays = known(facts.arrays)
    if not arrays:
        pytest.skip(f"no array ({facts.arrays.source})")
    wrong = [f"{item.name} is {item.state}" for item in arrays if item.state != "active"]
    wrong += [f"{item.name} has a failed disk" for item in arrays if item.failed]
    wrong += [
        f"{item.name} has {item.present} of {item.disks} disks"
        for item in arrays
        if item.disks is not None and item.present != item.disks
    ]
    expect(
        not wrong,
        "; ".join(wrong),
        evidence=facts.arrays.source,
        fix="mdadm --detail /dev/MD; replace the disk, then: mdadm --add /dev/MD /dev/DISK",
    )


@pytest.mark.claim(severity="warning", breaks="boot")
def test_arrays_are_declared(host: str, host_boots: HostBoots) -> None:
    """``mdadm.conf`` names every array that runs, and no other: one that it does not know comes up
    as /dev/md127, and one that is gone is waited for."""
    facts = boot_facts(host_boots, host)
    has_own_kernel(facts)
    declared = {*known(facts.declared_arrays)}
    running = {
        path.removeprefix(BY_UUID).lower()
        for path in known(facts.links)
        if path.startswith(BY_UUID) and "-part" not in path
    }
    if not declared:
        pytest.skip(f"{facts.declared_arrays.source} names no array: all are taken as found")
    wrong = [f"{uuid} runs and is not declared" for uuid in sorted(running - declared)]
    wrong += [f"{uuid} is declared and does not run" for uuid in sorted(declared - running)]
    expect(
        not wrong,
        "; ".join(wrong),
        evidence=(facts.declared_arrays.source, facts.links.source),
        fix="write what mdadm --detail --scan shows into it, then: update-initramfs -u",
    )


@pytest.mark.claim(severity="critical", breaks="boot")
def test_thin_pools_start_after_an_unclean_stop(host: str, host_boots: HostBoots) -> None:
    """Own options of thin_check keep the one without which a thin pool that was not closed in order
    stays off (lvm.conf(5), thin_check_options)."""
    facts = boot_facts(host_boots, host)
    own = known(facts.thin_checks)
    if not own:
        pytest.skip(f"no options of its own: LVM's keep it ({facts.thin_checks.source})")
    wrong = [line for line in own if KEEPS not in line.text]
    expect(
        not wrong,
        "; ".join(f"{line.where}: {line.text}" for line in wrong),
        evidence=tuple(f"ssh {host}: {line.where}" for line in wrong),
        fix=f'add "{KEEPS}" there, or take the line out, then: update-initramfs -u',
    )


@pytest.mark.claim(severity="critical", breaks="boot")
def test_no_encrypted_dataset_waits_for_a_person(host: str, host_boots: HostBoots) -> None:
    """Every ZFS dataset with a key of its own has it in a file that is there (zfs-load-key(8))."""
    facts = boot_facts(host_boots, host)
    has_own_kernel(facts)
    datasets = known(facts.datasets)
    if not datasets:
        pytest.skip(f"no encrypted dataset ({facts.datasets.source})")
    wrong = [item for item in datasets if not item.key_there]
    expect(
        not wrong,
        "; ".join(f"{item.name} waits for {item.key}" for item in wrong),
        evidence=facts.datasets.source,
        fix="zfs set keylocation=file:///PATH DATASET, of a file that is there before the NAS and "
        "any guest, and a unit that runs zfs load-key -a",
    )


@pytest.mark.claim(severity="critical", breaks="boot")
def test_zfs_pools_are_imported_at_boot(host: str, host_boots: HostBoots) -> None:
    """Where ZFS is mounted, a unit that imports pools and the one that mounts them are enabled."""
    facts = boot_facts(host_boots, host)
    has_own_kernel(facts)
    files = known(facts.unit_files)
    mounted = [item.source for item in known(facts.mounted) if item.fstype == "zfs"]
    if not mounted:
        pytest.skip(f"no ZFS is mounted ({facts.mounted.source})")
    lacking = []
    if not any(files.get(name) == "enabled" for name in ZFS_IMPORTS):
        lacking.append(" or ".join(ZFS_IMPORTS))
    if files.get(ZFS_MOUNTS) != "enabled":
        lacking.append(ZFS_MOUNTS)
    expect(
        not lacking,
        f"{mounted[0]} is mounted, and not enabled: {', '.join(lacking)}",
        evidence=(facts.unit_files.source, facts.mounted.source),
        fix="systemctl enable zfs-import-cache.service zfs-mount.service zfs-import.target",
    )


@pytest.mark.claim(
    severity="critical", breaks="boot", incident="2026-04-13-nas-mounts-after-power-loss"
)
def test_exports_survive_a_reboot(host: str, host_boots: HostBoots, inventory: Inventory) -> None:
    """What an NFS server gives out is written, and what is written is given out (exportfs(8))."""
    facts = boot_facts(host_boots, host)
    exports = known(facts.exports)
    runs = [
        unit.name
        for unit in known(facts.units)
        if unit.name in NFS_SERVERS and unit.active == "active"
    ]
    if not runs:
        pytest.skip(f"no NFS server runs ({facts.units.source})")
    by_hand = [path for path in exports.now if path not in exports.written]
    missing = [path for path in exports.written if path not in exports.now]
    told = [f"exported by hand: {', '.join(by_hand)}"] * bool(by_hand)
    told += [f"written and not exported: {', '.join(missing)}"] * bool(missing)
    mounts = inventory.mounts.items()
    expect(
        not told,
        "; ".join(told),
        evidence=(facts.exports.source, f"ssh {host}: /etc/exports, /etc/exports.d"),
        fix="write what is meant into /etc/exports, then: exportfs -ra",
        touches=tuple(
            name
            for name, item in mounts
            if item.server == host and item.export in (*by_hand, *missing)
        ),
    )
