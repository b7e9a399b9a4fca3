"""Is everything there that the start of a guest opens: disks, firmware, images, devices?

A start fails with the first thing that it cannot open, and startall goes on and ends OK.
"""

from __future__ import annotations

import re

import pytest

from blackstart.checking import expect, known
from blackstart.checking_guests import (
    config_of,
    gone,
    node_facts,
    opened_by,
    row_of,
    store_trouble,
    where_configured,
)
from blackstart.errors import Unproven
from blackstart.model.guest_stores import remedy
from blackstart.model.guest_volumes import opened, properties
from blackstart.model.inventory import Inventory
from blackstart.model.proxmox_facts import ProxmoxFacts
from blackstart.model.readiness import Readiness

pytestmark = pytest.mark.check

EFI = "efidisk0"
_NUMBERED = re.compile(r"^(hostpci|usb|virtiofs)[0-9]+$")
_KIND = {"hostpci": "pci", "usb": "usb", "virtiofs": "dir"}
_KERNEL_NAME = re.compile(r"^/dev/(sd|nvme|vd|hd|dm-|md)[^/]*$")
_USB_BY_ID = re.compile(r"^(0x)?[0-9a-fA-F]{4}:(0x)?[0-9a-fA-F]{4}$")


@pytest.mark.claim(severity="critical", breaks="boot", incident="2025-12-07-missing-efi-disk")
def test_uefi_guest_has_its_efi_disk(
    guest: str, proxmox: ProxmoxFacts, inventory: Inventory
) -> None:
    """A guest with UEFI firmware has an EFI disk, and its file: boot entries are in there."""
    row = row_of(proxmox, inventory, guest)
    config, source = config_of(proxmox, row), where_configured(proxmox, row)
    if config.get("bios") != "ovmf":
        pytest.skip(f"{guest} has no UEFI firmware ({source})")
    again = f"qm set {row.vmid} --efidisk0 STORE:0,efitype=4m"
    expect(EFI in config, f"{guest} has no {EFI}", evidence=source, fix=again)
    disk = [item for item in opened_by(proxmox, row) if item.key == EFI]
    expect(
        not gone(proxmox, row, disk),
        f"{config[EFI].split(',')[0]} does not exist",
        evidence=(source, _listed(proxmox, row.node, disk[0].store if disk else None)),
        fix=f"qm set {row.vmid} --delete {EFI} && {again}",
    )


@pytest.mark.claim(severity="warning", breaks="boot")
def test_secure_boot_knows_the_certificates_of_2023(
    guest: str, proxmox: ProxmoxFacts, inventory: Inventory
) -> None:
    """A guest with Secure Boot has Microsoft's certificates of 2023: a loader that an update of the
    guest signs with them alone is refused at its next start (qm(1), Certificate Expiration)."""
    row = row_of(proxmox, inventory, guest)
    config, source = config_of(proxmox, row), where_configured(proxmox, row)
    disk = properties(config.get(EFI, ""), "volume")
    if config.get("bios") != "ovmf" or disk.get("pre-enrolled-keys") != "1":
        pytest.skip(f"{guest} has no Secure Boot ({source})")
    expect(
        disk.get("ms-cert") == "2023k",
        f"{guest} knows the certificates of {disk.get('ms-cert', '2011')} alone",
        evidence=source,
        fix=f"qm enroll-efi-keys {row.vmid}, with the guest off; of Windows see to BitLocker first",
    )


@pytest.mark.claim(severity="critical", breaks="boot", incident="2025-12-07-missing-efi-disk")
def test_every_volume_is_on_its_store(
    guest: str, proxmox: ProxmoxFacts, inventory: Inventory
) -> None:
    """Disks, TPM state, cloud-init, ISO images, snippets: one that is gone fails the start."""
    row = row_of(proxmox, inventory, guest)
    others = [item for item in opened_by(proxmox, row) if item.key != EFI]
    missing = gone(proxmox, row, others)
    expect(
        not missing,
        f"{guest} would not start: "
        + ", ".join(f"{item.key} {item.volid} does not exist" for item in missing),
        evidence=(
            where_configured(proxmox, row),
            *(_listed(proxmox, row.node, item.store) for item in missing),
        ),
        fix="; ".join(_remedy(row.kind, row.vmid, it.key, it.cdrom, it.volid) for it in missing),
    )


@pytest.mark.claim(severity="critical", breaks="boot", incident="2025-12-07-missing-efi-disk")
def test_every_store_of_the_guest_is_usable(
    guest: str, proxmox: ProxmoxFacts, inventory: Inventory
) -> None:
    """Each store that the start needs exists, is enabled, active on the node, and has room."""
    row = row_of(proxmox, inventory, guest)
    troubles = {
        trouble: item.store
        for item in opened_by(proxmox, row)
        if (trouble := store_trouble(proxmox, row, item)) is not None
    }
    expect(
        not troubles,
        f"{guest} would not start: {'; '.join(troubles)}",
        evidence=(
            where_configured(proxmox, row),
            proxmox.stores.source,
            node_facts(proxmox, row.node).stores.source,
        ),
        fix="; ".join(remedy(trouble, store, row.node) for trouble, store in troubles.items()),
    )


@pytest.mark.claim(severity="critical", breaks="boot")
def test_host_paths_of_the_guest_are_there(
    guest: str, proxmox: ProxmoxFacts, readiness: Readiness, inventory: Inventory
) -> None:
    """Disks and devices passed through and bind mounts are there: the start opens them."""
    row = row_of(proxmox, inventory, guest)
    paths = [item for item in opened(config_of(proxmox, row)) if item.is_path]
    if not paths:
        pytest.skip(f"{guest} opens no path of its host ({where_configured(proxmox, row)})")
    if row.node not in readiness.files:
        raise Unproven(f"nobody looked at the files of {row.node}")
    files = readiness.files[row.node]
    there = known(files).there
    missing = [item for item in paths if not there.get(item.volid, False)]
    expect(
        not missing,
        f"{guest} would not start: "
        + ", ".join(f"{item.key} {item.volid} is not on {row.node}" for item in missing),
        evidence=(where_configured(proxmox, row), files.source),
        fix=f"mount or plug it in on {row.node}, or take the entry out: "
        f"{'qm' if row.kind == 'qemu' else 'pct'} set {row.vmid} --delete KEY",
    )


@pytest.mark.claim(severity="warning", breaks="boot")
def test_devices_are_passed_through_by_a_lasting_name(
    guest: str, proxmox: ProxmoxFacts, inventory: Inventory
) -> None:
    """``/dev/sdX``, a PCI address or a USB port is another device after new hardware (qm(1))."""
    row = row_of(proxmox, inventory, guest)
    config = config_of(proxmox, row)
    moving = [f"{it.key} {it.volid}" for it in opened(config) if _KERNEL_NAME.match(it.volid)]
    for key, text in sorted(config.items()):
        match = _NUMBERED.match(key)
        parts = properties(text, "host")
        if match is None or "mapping" in parts or match[1] == "virtiofs":
            continue
        host = parts.get("host", "")
        if match[1] == "hostpci" or (host != "spice" and not _USB_BY_ID.match(host)):
            moving.append(f"{key} {host}")
    expect(
        not moving,
        f"{guest} is given {', '.join(moving)}",
        evidence=where_configured(proxmox, row),
        fix="name disks below /dev/disk/by-id; map PCI and USB devices (Datacenter, Resource "
        f"Mappings), then qm set {row.vmid} --KEY mapping=NAME",
    )


@pytest.mark.claim(severity="critical", breaks="boot")
def test_mapped_devices_are_there(guest: str, proxmox: ProxmoxFacts, inventory: Inventory) -> None:
    """A mapped device or directory is on the guest's node, unchanged (qm(1), Resource Mapping)."""
    row = row_of(proxmox, inventory, guest)
    used = list(_mapped(config_of(proxmox, row)))
    if not used:
        pytest.skip(f"{guest} uses no mapped device ({where_configured(proxmox, row)})")
    mappings = node_facts(proxmox, row.node).mappings
    found = known(mappings)
    wrong = []
    for key, kind, name in used:
        entry = next((item for item in found.get(kind, ()) if item.id == name), None)
        if entry is None:
            wrong.append(f"{key}: there is no mapping {name}")
        else:
            wrong += [f"{key}: {name}: {problem}" for problem in entry.problems]
    expect(
        not wrong,
        f"{guest} would not start: {'; '.join(wrong)}",
        evidence=(where_configured(proxmox, row), mappings.source),
        fix=f"correct the mapping for {row.node}: Datacenter, Resource Mappings",
    )


def _mapped(config: dict[str, str]) -> list[tuple[str, str, str]]:
    """Key, kind and name of each mapped device; a shared directory is always mapped."""
    found = []
    for key, text in sorted(config.items()):
        match = _NUMBERED.match(key)
        if match is None:
            continue
        parts = properties(text, "dirid" if match[1] == "virtiofs" else "host")
        name = parts.get("dirid") if match[1] == "virtiofs" else parts.get("mapping")
        if name:
            found.append((key, _KIND[match[1]], name))
    return found


def _listed(proxmox: ProxmoxFacts, node: str, store: str | None) -> str:
    seen = proxmox.content.get(f"{node}/{store}")
    return seen.source if seen is not None else f"no list of {store}"


def _remedy(kind: str, vmid: int, key: str, cdrom: bool, volid: str) -> str:
    tool = "qm" if kind == "qemu" else "pct"
    if "cloudinit" in volid:
        return f"qm set {vmid} --delete {key} && qm set {vmid} --{key} STORE:cloudinit"
    if cdrom:
        return f"qm set {vmid} --{key} none,media=cdrom"
    if key in ("hookscript", "cicustom"):
        return f"put it back, or {tool} set {vmid} --delete {key}"
    return (
        f"restore {key} from a backup, or point it at the volume that holds the data: {tool} "
        f"rescan --vmid {vmid}"
    )
