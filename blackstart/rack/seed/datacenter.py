"""What the cluster's shared configuration says: stores, jobs, guests (/etc/pve)."""

from __future__ import annotations

import uuid
from pathlib import Path

from blackstart.rack.seed import base, corosync, volumes
from blackstart.rack.topology import Guest, Topology

CONFIG = "var/lib/pve-cluster/config"
CREATED = 1764547200  # 2025-12-01T00:00Z, the same in every rack

STORAGE = """\
dir: local
	path /srv/local/vz
	content images,rootdir,iso,vztmpl,snippets
	is_mountpoint /srv/local
	shared 0

dir: nas-backups
	path /mnt/nas/backups
	content backup
	is_mountpoint yes
	shared 1

dir: nas-vms
	path /mnt/nas/vms
	content images
	is_mountpoint yes
	shared 1
"""

JOBS = """\
vzdump: backup-nightly
	schedule 01:30
	all 1
	compress zstd
	enabled 1
	mode snapshot
	prune-backups keep-last=3
	repeat-missed 1
	storage nas-backups
"""


def guest_configuration(topology: Topology, guest: Guest) -> str:
    """A guest's configuration file, keys as the vendor's tool orders them."""
    keys = _qemu(topology, guest) if guest.kind == "qemu" else _lxc(guest)
    return "".join(f"{key}: {value}\n" for key, value in sorted(keys.items()))


def _startup(guest: Guest) -> dict[str, str]:
    delay = f",up={guest.up_delay_s}" if guest.up_delay_s else ""
    return {
        "onboot": "1",
        "startup": f"order={guest.order}{delay}",
        "cores": "1",
        "memory": str(guest.memory_mib),
    }


def _qemu(topology: Topology, guest: Guest) -> dict[str, str]:
    address = "dhcp"
    if guest.static:
        address = f"{guest.address}/{topology.network.prefixlen},gw={topology.controller}"
    return _startup(guest) | {
        "agent": "1",
        "bios": "ovmf",
        "boot": "order=scsi0",
        "efidisk0": f"{volumes.firmware_volume(guest)},efitype=4m,size=528K",
        "ide2": f"{volumes.cloudinit_volume(guest)},media=cdrom",
        "ipconfig0": f"ip={address}",
        "kvm": "0",
        "meta": f"creation-qemu=10.1.2,ctime={CREATED}",
        "name": guest.name,
        "net0": f"virtio={guest.mac.upper()},bridge=vmbr0",
        "ostype": "l26",
        "scsi0": f"{volumes.disk_volume(guest)},size={volumes.DISK_MIB[guest.role]}M",
        "scsihw": "virtio-scsi-pci",
        "smbios1": f"uuid={_uuid(topology, guest, 'smbios1')}",
        "vmgenid": _uuid(topology, guest, "vmgenid"),
    }


def _lxc(guest: Guest) -> dict[str, str]:
    return _startup(guest) | {
        "arch": "amd64",
        "features": "nesting=1",
        "hostname": guest.name,
        "net0": f"name=eth0,bridge=vmbr0,hwaddr={guest.mac.upper()},ip=dhcp,type=veth",
        "ostype": "debian",
        "rootfs": f"{volumes.disk_volume(guest)},size={volumes.DISK_MIB[guest.role]}M",
        "swap": "0",
    }


def _uuid(topology: Topology, guest: Guest, purpose: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_DNS, f"{purpose}.{guest.name}.{topology.site}"))


def compose(topology: Topology, root: Path) -> None:
    """Lay the cluster's configuration, of all nodes, where pmxcfs starts from."""
    config = root / CONFIG
    files = {
        "storage.cfg": STORAGE,
        "jobs.cfg": JOBS,
        "datacenter.cfg": "keyboard: en-us\n",
        "corosync.conf": corosync.configuration(topology),
    }
    for guest in topology.guests:
        kind = "qemu-server" if guest.kind == "qemu" else "lxc"
        files[f"nodes/{guest.node}/{kind}/{guest.vmid}.conf"] = guest_configuration(topology, guest)
    for name, content in files.items():
        base.write(config / name, content, mode=0o640)
    for node in corosync.nodes(topology):
        for kind in ("qemu-server", "lxc"):
            (config / "nodes" / node.name / kind).mkdir(parents=True, exist_ok=True)
    (root / "etc/pve").mkdir()
