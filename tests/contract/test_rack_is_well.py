"""The rack's own seed, served by its stand-in: the checks find nothing wrong with it.

One node of the two, on loopback; what takes real machines (mounts, clocks, the other node's
guests) is the live rack's to show.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from blackstart.drivers.clock import SystemClock
from blackstart.drivers.proxmox_api import ProxmoxApi, parse_token
from blackstart.drivers.proxmox_look import ProxmoxLook
from blackstart.errors import Found, Unproven
from blackstart.inventory_file import load
from blackstart.model.facts import Mount, SiteFacts
from blackstart.model.proxmox_facts import ProxmoxFacts
from blackstart.model.readiness import HostFiles, Readiness
from blackstart.rack.seed import datacenter, volumes
from blackstart.rack.standins.pve.shipping import FULL_TOKEN
from blackstart.rack.topology import PVE
from tests.contract.pve_client import Api
from tests.contract.pve_site import SiteNode, members_file
from tests.unit.calling import call, checks_in
from tests.unit.invariants.site import facts as snapshot
from tests.unit.invariants.site import seen

ROOT = Path(__file__).parents[2]
RACK = load(ROOT / "inventory/rack.yaml")
FILES = ("test_guest_boot", "test_guest_volumes", "test_storage", "test_cluster", "test_backups")
CHECKS = checks_in(*FILES, "test_memory_headroom")
HERE = PVE.guests_of("pve1")
COPY = {"configuration_copy_is_fresh", "configuration_copy_is_complete"}
BY_SSH_OR_ELSEWHERE = COPY | {"configuration_copy_can_be_read"}
"""They need the NAS, or the guests of the other node."""


@pytest.fixture
def rack(site: SiteNode, api: Api, tmp_path: Path) -> SiteNode:
    """pve1 as the rack seeds it, its guests running and backed up."""
    seeded = tmp_path / "seed"
    (seeded / "etc").mkdir(parents=True)
    datacenter.compose(PVE, seeded)
    for path in (seeded / datacenter.CONFIG).rglob("*"):
        if path.is_file():
            site.put(str(path.relative_to(seeded / datacenter.CONFIG)), path.read_text())
    local, nas = tmp_path / "local", tmp_path / "nas"
    text = datacenter.STORAGE.replace("/srv/local", str(local)).replace("/mnt/nas", str(nas))
    site.put("storage.cfg", text)
    places = (local, nas / "backups", nas / "vms")
    for place in places:
        place.mkdir(parents=True)
    site.node.layout.mountinfo.write_text(
        "22 1 252:1 / / rw,relatime - ext4 /dev/vda1 rw\n"
        + "".join(
            f"{number} 22 0:{number} / {place} rw,relatime - ext4 /dev/vdb rw\n"
            for number, place in enumerate(places, 30)
        )
    )
    for guest in HERE:
        made = [volumes.disk_volume(guest)]
        if guest.efi:
            made += [volumes.firmware_volume(guest), volumes.cloudinit_volume(guest)]
        for volume in made:
            file = volumes.path(local / "vz/images", volume)
            file.parent.mkdir(parents=True, exist_ok=True)
            # A cloud-init drive is a qcow2 image, of which the header tells the size.
            file.write_bytes(b"QFI\xfb" + bytes(100))
        site.runtime.started_at[guest.vmid] = time.monotonic()
        dump = nas / f"backups/dump/vzdump-{guest.kind}-{guest.vmid}-2026_11_20-02_30_00.tar.zst"
        dump.parent.mkdir(exist_ok=True)
        dump.write_bytes(b"archive")
    site.put(".members", members_file({"pve1": True, "pve2": True}, "pve1"))
    site.measure()
    return site


@pytest.fixture
def given(rack: SiteNode, pve_secrets: Path) -> Iterator[dict[str, Any]]:
    """What the checks ask for, as a look at it gives."""
    token = parse_token(f"{FULL_TOKEN}={(pve_secrets / 'pve-token').read_text().strip()}")
    port = int(rack.base_url.rsplit(":", 1)[1])
    client = ProxmoxApi({"pve1": "127.0.0.1"}, token=token, ca=pve_secrets / "ca.crt", port=port)
    proxmox = ProxmoxLook(client, SystemClock())()
    files = {"pve1": seen(HostFiles(there={}, arc_max=0), "ssh pve1")}
    ready = Readiness(proxmox=proxmox, files=files)
    yield {
        "facts": _facts(proxmox),
        "proxmox": proxmox,
        "readiness": ready,
        "host_boots": {},
        "inventory": RACK,
        "hypervisor": "pve1",
    }
    client.close()


def _facts(proxmox: ProxmoxFacts) -> SiteFacts:
    """The drills' snapshot of the same: mounts and votes of the rack, guests as looked at."""
    well = snapshot("first")
    mounts = (Mount(source="/dev/vda1", target="/", fstype="ext4", answers=True),)
    host = well.hosts["a1"].model_copy(update={"mounts": seen(mounts, "ssh pve1")})
    guests = {
        guest.name: well.guests["box"].model_copy(
            update={
                "node": seen(guest.node),
                "config": seen(dict(proxmox.plans[f"{guest.kind}/{guest.vmid}"].config.value or {}))
                if guest in HERE
                else seen({}),
            }
        )
        for guest in PVE.guests
    }
    return well.model_copy(update={"hosts": {"pve1": host}, "guests": guests})


def said(name: str, given: dict[str, Any]) -> str | None:
    """What a check has against it; ``None`` when it holds or does not apply."""
    try:
        call(CHECKS[name], given)
    except Found as found:
        return f"{name}: {found}"
    except Unproven as unproven:
        return None if name in BY_SSH_OR_ELSEWHERE else f"{name} is unproven: {unproven}"
    except pytest.skip.Exception:
        return None
    return None


def test_nothing_is_wrong_with_what_the_rack_is_seeded_with(given: dict[str, Any]) -> None:
    wrong = {
        said(name, {**given, "guest": guest.name, "redundancy_group": group})
        for name in CHECKS
        for guest in HERE
        for group in ("dns", "never-down/household-dns")
    }
    assert wrong == {None}


def test_a_seed_that_lacks_a_firmware_disk_would_be_seen(
    rack: SiteNode, tmp_path: Path, given: dict[str, Any]
) -> None:
    gone = given["proxmox"].model_copy(
        update={"content": {**given["proxmox"].content, "pve1/local": seen(())}}
    )
    rights = {**gone.rights, "/storage/local": seen(("Datastore.Allocate",))}
    ill = {**given, "proxmox": gone.model_copy(update={"rights": rights}), "guest": "maas"}
    with pytest.raises(Found, match="does not exist"):
        call(CHECKS["uefi_guest_has_its_efi_disk"], ill)
