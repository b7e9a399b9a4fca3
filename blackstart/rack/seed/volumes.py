"""Volumes of guests, made on the host: disks with their content, firmware and cloud-init drives."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from blackstart.rack.topology import Guest

STORE = "local"
EFI_BYTES = 540672  # what the vendor's own tool allots for efitype=4m
CLOUDINIT_MIB = 4
DISK_MIB = {"maas": 512, "dns2": 512, "docker": 1536, "k3s": 512, "app": 512}
TOOL_LIMIT_S = 120.0


def disk_volume(guest: Guest) -> str:
    """Volume id of the guest's root disk."""
    number = 1 if guest.efi else 0
    return f"{STORE}:{guest.vmid}/vm-{guest.vmid}-disk-{number}.raw"


def firmware_volume(guest: Guest) -> str:
    """Volume id of the guest's EFI variables."""
    return f"{STORE}:{guest.vmid}/vm-{guest.vmid}-disk-0.raw"


def cloudinit_volume(guest: Guest) -> str:
    """Volume id of the guest's cloud-init drive."""
    return f"{STORE}:{guest.vmid}/vm-{guest.vmid}-cloudinit.qcow2"


def path(images: Path, volume: str) -> Path:
    """File of a volume below the store's ``images`` directory."""
    return images / volume.partition(":")[2]


def create(guest: Guest, content: Path, uuid: str, images: Path) -> None:
    """Write all volumes of a guest; ``content`` becomes its disk's file tree.

    Sparse throughout. Raises ``subprocess.SubprocessError`` when a tool fails or
    takes over 120 s.
    """
    disk = path(images, disk_volume(guest))
    disk.parent.mkdir(parents=True, exist_ok=True)
    _allot(disk, DISK_MIB[guest.role] * 1024 * 1024)
    _tool(
        "mkfs.ext4",
        "-q",
        "-F",
        "-U",
        uuid,
        "-E",
        f"hash_seed={uuid}",
        "-L",
        guest.name,
        "-m",
        "0",
        "-J",
        "size=4",
        "-d",
        str(content),
        str(disk),
    )
    if guest.efi:
        _allot(path(images, firmware_volume(guest)), EFI_BYTES)
        drive = path(images, cloudinit_volume(guest))
        _tool("qemu-img", "create", "-q", "-f", "qcow2", str(drive), f"{CLOUDINIT_MIB}M")
        drive.chmod(0o640)


def _allot(file: Path, size: int) -> None:
    file.touch(mode=0o640)
    os.truncate(file, size)


def _tool(*words: str) -> None:
    subprocess.run(words, check=True, timeout=TOOL_LIMIT_S, stdin=subprocess.DEVNULL)
