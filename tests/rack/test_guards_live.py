"""The guards on the rack: a healthy one passes them all, and real trouble is seen."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from blackstart.drivers.base import Site
from blackstart.faults.reboot import power_cut
from blackstart.rack import enter
from blackstart.rack.topology import PVE
from blackstart.safety.guard import GUARDS, Request, answers
from blackstart.terms import Terms
from tests.rack.command import eventually, on

ALL_GUARDS_S = 20.0
"""Emulated processors take 50 ms for a process that hardware starts in one."""
HOLD = (
    'python3 -c \'import fcntl, time; file = open("/var/lib/dpkg/lock", "w"); '
    "fcntl.lockf(file, fcntl.LOCK_EX); time.sleep(300)'"
)

pytestmark = pytest.mark.usefixtures("pristine_again")


def request_for(site: Site, root: Path) -> Request:
    """May we cut the power of pve1?"""
    terms = Terms("test", 300.0, site.inventory.site, root / "one", root, root / "leases")
    return Request(site, terms, power_cut("pve1").plan(site), site.facts())


def refusal(name: str, request: Request) -> str:
    """What one guard objects to."""
    (given,) = answers(request, [guard for guard in GUARDS if guard.name == name])
    return given.refusal or ""


@pytest.fixture
def request_(site: Site, tmp_path: Path) -> Request:
    """A request on the rack as it is."""
    return request_for(site, tmp_path)


def test_a_healthy_rack_passes_every_guard(request_: Request) -> None:
    began = time.monotonic()
    given = answers(request_)
    took_s = time.monotonic() - began
    for answer in given:
        print(f"{answer.guard}: {answer.wording}")
    print(f"all guards in {took_s:.1f} s")
    assert [f"{answer.guard}: {answer.refusal}" for answer in given if answer.refusal] == []
    assert took_s < ALL_GUARDS_S


@contextmanager
def transient(host: str, unit: str, command: str) -> Iterator[None]:
    """A command that runs on a host meanwhile."""
    on(host, f"systemd-run --quiet --collect --unit={unit} {command}")
    try:
        yield
    finally:
        on(host, f"systemctl stop {unit}")


@pytest.mark.parametrize("host", ["pve2", "nas1"])
def test_a_held_package_lock_is_seen(request_: Request, host: str) -> None:
    with transient(host, "test-upgrade", HOLD):
        eventually(lambda: f"{host}: /var/lib/dpkg/lock is held" in refusal("busy", request_), 20)
    assert refusal("busy", request_) == ""


def test_a_backup_on_the_nas_is_seen(request_: Request) -> None:
    on("nas1", "install -m 755 /bin/sleep /root/restic")
    with transient("nas1", "test-backup", "/root/restic 300"):
        eventually(lambda: "nas1: restic runs" in refusal("busy", request_), 20)
    on("nas1", "rm /root/restic")


def test_a_locked_guest_is_seen(site: Site, tmp_path: Path) -> None:
    docker1 = next(guest for guest in PVE.guests if guest.name == "docker1")
    conf = f"/etc/pve/qemu-server/{docker1.vmid}.conf"
    on("pve1", f"cp {conf} /root/kept.conf; echo 'lock: backup' >>{conf}")
    try:
        said = refusal("guest-locks", request_for(site, tmp_path))
    finally:
        on("pve1", f"cat /root/kept.conf >{conf}; rm /root/kept.conf")
    assert f"guest docker1 is locked (backup): qm unlock {docker1.vmid} on pve1" in said


def test_a_store_that_is_gone_is_seen(request_: Request) -> None:
    on("pve2", "umount -l /mnt/nas/vms")
    try:
        eventually(
            lambda: "store nas-vms is not active on pve2" in refusal("storage", request_), 60
        )
    finally:
        on("pve2", "mount /mnt/nas/vms")
    eventually(lambda: refusal("storage", request_) == "", 60)


def test_old_backups_are_seen(request_: Request) -> None:
    on("nas1", "find /export/backups/etc-pve -type f -exec touch -d '9 days ago' {} +")
    try:
        assert "days old and may be 8.0" in refusal("etc-pve-backup", request_)
    finally:
        on("nas1", "find /export/backups/etc-pve -type f -exec touch {} +")
    assert refusal("etc-pve-backup", request_) == ""


def test_notes_for_a_person_have_what_leads_back_and_nothing_private(site: Site) -> None:
    home = enter.rack_home()
    assert home is not None
    vmids = tuple(str(guest.vmid) for guest in PVE.guests if guest.node == "pve1")
    notes = site.circumstances.by_hand({"pve1": vmids, "nas1": (), "maas": ()})
    for host, seen in notes.items():
        assert seen.value is not None, f"{host}: {seen.error}"
        for secret in ("pve-token", "pve-root-password", "bmc-password"):
            assert (home / "secrets" / secret).read_text().strip() not in seen.value
        assert "PRIVATE" not in seen.value
    pve1, nas1 = notes["pve1"].value or "", notes["nas1"].value or ""
    assert all(f"/{vmid}.conf" in pve1 for vmid in vmids)
    assert "iface vmbr0" in pve1
    assert "/mnt/nas/vms nfs" in pve1
    assert "/export/vms" in nas1
