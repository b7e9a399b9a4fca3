"""What makes a machine a hypervisor: its cluster, its stores, its guests."""

from __future__ import annotations

import shutil
from pathlib import Path

from blackstart.rack.seed import base, corosync, datacenter, files, guests
from blackstart.rack.standins.pve import shipping
from blackstart.rack.topology import Machine, Topology

STORES = ("vms", "backups")
# By address: a name would need a resolver that is a guest of this very node.
NFS_OPTIONS = (
    "defaults,_netdev,nofail,vers=4.2,x-systemd.device-timeout=10,x-systemd.mount-timeout=15"
)
UNITS = ("remote-fs.target", "prometheus-node-exporter.service", "first-backup.service")
TIMERS = ("etc-pve-backup.timer", "guest-backup.timer")


def compose(topology: Topology, machine: Machine, secrets: Path, dest: Path) -> None:
    """Lay a hypervisor's role over its base, and its guests onto its data disk."""
    root = dest / "root"
    files.lay("hypervisor", root)
    _programs(root)
    _stores(topology, root)
    corosync.compose(topology, secrets, root)
    datacenter.compose(topology, root)
    for shipped in shipping.cluster_files(secrets, topology):
        files.place(shipped, root / datacenter.CONFIG)
    shutil.copyfile(secrets / "ca.crt", root / guests.PROGRAMS / "ca.crt")
    token = (secrets / "k3s-token").read_text("utf-8")
    base.write(root / guests.PROGRAMS / "k3s-token", token, mode=0o600)
    expected = "".join(
        f"{guest.vmid} {guest.name} {guest.address} {guest.role}\n"
        for guest in topology.guests_of(machine.name)
    )
    base.write(root / "etc/blackstart-rack/guests", expected)
    for unit in UNITS:
        base.enable(root, unit)
    for timer in TIMERS:
        base.enable(root, timer, target="timers.target")
    images = dest / "data/vz/images"
    images.mkdir(parents=True)
    for guest in topology.guests_of(machine.name):
        guests.compose(topology, guest, secrets, images)


def _stores(topology: Topology, root: Path) -> None:
    server = corosync.witness(topology).address
    with (root / "etc/fstab").open("a", encoding="utf-8") as fstab:
        for store in STORES:
            fstab.write(f"{server}:/export/{store} /mnt/nas/{store} nfs {NFS_OPTIONS} 0 0\n")
            (root / "mnt/nas" / store).mkdir(parents=True)


def _programs(root: Path) -> None:
    for shipped in shipping.programs():
        files.place(shipped, root)
    for unit in shipping.enabled_units():
        base.enable(root, unit)
    for alias, target in shipping.aliases():
        link = root / alias.lstrip("/")
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(target)
