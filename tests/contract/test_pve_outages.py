"""The configurations of past outages, against what the genuine 9.1.7 said to them.

Recorded in ``outage-configurations.txt``. Every text is looked for there too.
"""

from __future__ import annotations

import pytest

from tests.contract.pve_client import Api
from tests.contract.pve_schema import ABSENT, CAPTURES
from tests.contract.pve_site import SiteNode

UEFI = """\
bios: ovmf
boot: order=scsi0
kvm: 0
memory: 256
name: k3s-server-0
onboot: 1
{efi}scsi0: local:116/vm-116-disk-1.raw,size=1G
"""
EFI = "efidisk0: local:116/vm-116-disk-0.raw,efitype=4m,size=528K\n"
GUEST = "/nodes/pve1/qemu/116"
MOUNT_GONE = (
    "unable to activate storage 'srv' - directory is expected to be a mount point "
    "but is not mounted: '/srv/local'"
)


@pytest.fixture(scope="module")
def recording() -> str:
    """What was recorded."""
    path = CAPTURES / "outage-configurations.txt"
    if not path.exists():
        pytest.skip(ABSENT)
    return path.read_text()


@pytest.fixture
def guest(site: SiteNode) -> SiteNode:
    """The UEFI guest of the recording, whole."""
    site.guest(116, UEFI.format(efi=EFI))
    site.disk("116/vm-116-disk-0.raw", 540672)
    site.disk("116/vm-116-disk-1.raw")
    return site


def _declare_srv(site: SiteNode, more: str = "") -> None:
    local = (site.etc_pve / "storage.cfg").read_text()
    content = "content backup,images"
    site.put(
        "storage.cfg",
        f"dir: srv\n\tpath /srv/local\n\t{content}\n\tis_mountpoint yes\n{more}\n{local}",
    )


def test_whole_guest_starts(guest: SiteNode, api: Api) -> None:
    assert api.task(f"{GUEST}/status/start") == "OK"


def test_efi_disk_file_gone(guest: SiteNode, api: Api, recording: str) -> None:
    (guest.store / "images/116/vm-116-disk-0.raw").unlink()
    text = "volume 'local:116/vm-116-disk-0.raw' does not exist"
    assert text in recording
    assert api.task(f"{GUEST}/status/start") == text
    assert api.data("GET", f"{GUEST}/config")["efidisk0"].startswith("local:116/")
    volumes = api.data("GET", "/nodes/pve1/storage/local/content", vmid=116)
    assert [volume["volid"] for volume in volumes] == ["local:116/vm-116-disk-1.raw"]


def test_no_efi_disk_configured_is_a_success_with_a_warning(
    guest: SiteNode, api: Api, recording: str
) -> None:
    guest.guest(116, UEFI.format(efi=""))
    warning = "WARN: no efidisk configured! Using temporary efivars disk."
    assert warning in recording
    upid = api.data("POST", f"{GUEST}/status/start")
    assert api.exit_status(upid) == "WARNINGS: 1"
    log = [line["t"] for line in api.data("GET", f"/nodes/pve1/tasks/{upid}/log")]
    assert log == [warning, "TASK WARNINGS: 1"]
    assert api.data("GET", f"{GUEST}/status/current")["status"] == "running"
    listed = api.data("GET", "/nodes/pve1/tasks", statusfilter="warning")
    assert [task["upid"] for task in listed] == [upid]
    assert api.data("GET", "/nodes/pve1/tasks", errors=1) == []


def test_store_that_does_not_exist(guest: SiteNode, api: Api, recording: str) -> None:
    text = "storage 'local-lvm' does not exist"
    assert text in recording
    guest.guest(116, UEFI.format(efi=EFI).replace("scsi0: local:", "scsi0: local-lvm:"))
    assert api.task(f"{GUEST}/status/start") == text
    assert api.data("GET", f"{GUEST}/config")["scsi0"].startswith("local-lvm:")
    refused = api.call("PUT", f"{GUEST}/config", ide3="local-lvm:cloudinit,media=cdrom")
    assert (refused.status_code, refused.reason) == (500, text)


def test_cloud_init_drive_needs_its_store_only(guest: SiteNode, api: Api) -> None:
    drive = "ide3: local:116/vm-116-cloudinit.qcow2,media=cdrom\n"
    guest.guest(116, UEFI.format(efi=EFI) + drive)
    assert api.task(f"{GUEST}/status/start") == "OK"
    assert (guest.store / "images/116/vm-116-cloudinit.qcow2").exists()
    guest.runtime.started_at.clear()
    guest.guest(116, UEFI.format(efi=EFI) + drive.replace("local:", "local-lvm:"))
    assert api.task(f"{GUEST}/status/start") == "storage 'local-lvm' does not exist"


def test_mount_of_a_store_gone(guest: SiteNode, api: Api, recording: str) -> None:
    assert MOUNT_GONE in recording
    _declare_srv(guest)
    guest.guest(118, "scsi0: srv:118/vm-118-disk-0.raw,size=1G\n")
    assert api.task("/nodes/pve1/qemu/118/status/start") == MOUNT_GONE
    refused = api.call("GET", "/nodes/pve1/storage/srv/content")
    assert (refused.status_code, refused.reason) == (500, MOUNT_GONE)
    status = api.data("GET", "/nodes/pve1/storage/srv/status")
    assert {**status, "content": "backup,images"} == {
        "active": 0,
        "avail": 0,
        "content": "backup,images",
        "enabled": 1,
        "shared": 0,
        "total": 0,
        "type": "dir",
        "used": 0,
    }


def test_mounted_store_is_active_and_without_is_mountpoint_it_always_is(
    site: SiteNode, api: Api
) -> None:
    other = site.store.parent / "other"
    other.mkdir()
    declared = f"dir: other\n\tpath {other}\n\tcontent images\n"
    site.put("storage.cfg", declared + "\tis_mountpoint 1\n")
    assert api.data("GET", "/nodes/pve1/storage/other/status")["active"] == 0
    mounts = site.node.layout.mountinfo
    mounts.write_text(f"{mounts.read_text()}40 22 8:1 / {other} rw - ext4 /dev/sdb rw\n")
    assert api.data("GET", "/nodes/pve1/storage/other/status")["active"] == 1
    mounts.write_text("")
    site.put("storage.cfg", declared)
    assert api.data("GET", "/nodes/pve1/storage/other/status")["active"] == 1


def test_store_disabled(guest: SiteNode, api: Api, recording: str) -> None:
    text = "storage 'srv' is disabled"
    assert text in recording
    _declare_srv(guest, "\tdisable\n")
    guest.guest(118, "scsi0: srv:118/vm-118-disk-0.raw,size=1G\n")
    assert api.task("/nodes/pve1/qemu/118/status/start") == text
    listed = {entry["storage"]: entry for entry in api.data("GET", "/nodes/pve1/storage")}
    assert (listed["srv"]["enabled"], listed["srv"]["active"]) == (0, 0)
    enabled = api.data("GET", "/nodes/pve1/storage", enabled=1)
    assert [entry["storage"] for entry in enabled] == ["local"]


def test_killed_guest_is_simply_stopped(guest: SiteNode, api: Api) -> None:
    assert api.task(f"{GUEST}/status/start") == "OK"
    before = api.data("GET", "/nodes/pve1/tasks")
    guest.runtime.started_at.clear()
    current = api.data("GET", f"{GUEST}/status/current")
    assert (current["status"], current["uptime"], current["mem"]) == ("stopped", 0, 0)
    assert "pid" not in current
    assert api.data("GET", "/nodes/pve1/tasks") == before


def test_guests_that_no_backup_covers(guest: SiteNode, api: Api) -> None:
    guest.guest(117, "name: d\n")
    missing = api.data("GET", "/cluster/backup-info/not-backed-up")
    assert sorted(entry["vmid"] for entry in missing) == [116, 117]
    guest.put("jobs.cfg", "vzdump: nightly\n\tschedule 02:00\n\tall 1\n\texclude 117\n")
    missing = api.data("GET", "/cluster/backup-info/not-backed-up")
    assert missing == [{"vmid": 117, "type": "qemu", "name": "d"}]
