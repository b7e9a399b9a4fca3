"""The rack's fingerprint, its part that reads files, in a directory: what it sees and what not."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.rack.fingerprinting import TEXT, difference, kinds

MAAS = "var/snap/maas/common/maas"
LEASES = f"{MAAS}/dhcp/dhcpd.leases"
LEASE = "lease 10.0.0.9 {{\n  starts 4 {};\n  binding state {};\n  next binding state free;\n}}\n"
FILES = {
    "etc/hosts": "127.0.0.1 localhost\n",
    "etc/pve/nodes/a/qemu-server/100.conf": "memory: 512\n",
    "etc/pve/.members": "1",
    "var/log/pve/tasks/1/UPID:a:1": "",
    "var/log/journal/system": "",
    "root/.profile": "",
    "tmp/file": "",
    "var/tmp/file": "",
    "srv/local/vz/images/disk.raw": "",
    "export/vms/file": "",
    f"{MAAS}/dhcpd.conf": "subnet\n",
    f"{MAAS}/state.json": "{}",
    f"{MAAS}/image-storage/ab": "",
    LEASES: "host a {\n  dynamic;\n}\n" + LEASE.format(1, "active"),
    "var/cache/bind/zone": "SOA",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    if shutil.which("dash") is None:
        pytest.skip("no dash on this machine: a POSIX shell")
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def lines(root: Path) -> list[str]:
    done = subprocess.run(
        ["dash", "-eu", "-c", TEXT],
        env=os.environ | {"root": str(root)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stderr == ""
    return done.stdout.splitlines()


def append(root: Path, name: str, text: str = "x") -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        file.write(text)


@pytest.mark.parametrize(
    ("name", "text", "kind"),
    [
        ("etc/hosts", "10.0.0.1 a\n", "etc"),
        ("etc/systemd/system/new.service", "", "etc"),
        ("etc/pve/nodes/a/qemu-server/100.conf", "onboot: 1\n", "pve"),
        ("var/log/pve/tasks/2/UPID:a:2", "", "task"),
        ("var/lib/blackstart/undo", "", "ours"),
        ("run/blackstart/memory", "", "ours"),
        ("root/.docker/config.json", "", "root"),
        ("tmp/left", "", "temporary"),
        ("var/tmp/left", "", "temporary"),
        ("srv/local/vz/images/disk.raw", "x", "kept"),
        ("export/left", "", "kept"),
        ("opt/web/compose.yaml", "", "kept"),
        (f"{MAAS}/dhcpd.conf", "#\n", "maas"),
        (f"{MAAS}/image-storage/cd", "", "maas"),
        (LEASES, "host b {\n  dynamic;\n}\n", "host"),
        (LEASES, LEASE.replace(".9", ".10").format(1, "active"), "lease"),
        ("var/cache/bind/zone", "other", "zone"),
    ],
)
def test_a_change_is_seen_and_of_its_kind_alone(
    root: Path, name: str, text: str, kind: str
) -> None:
    before = lines(root)
    append(root, name, text)
    assert kinds(difference(before, lines(root))) == {kind}


def test_what_was_made_and_removed_again_is_seen(root: Path) -> None:
    before = lines(root)
    append(root, "etc/left")
    (root / "etc/left").unlink()
    seen = difference(before, lines(root))
    assert [line.split()[1:3] for line in seen] == [["etc", "d"]] * 2


def test_a_mode_is_seen(root: Path) -> None:
    before = lines(root)
    (root / "etc/hosts").chmod(0o600)
    assert kinds(difference(before, lines(root))) == {"etc"}


def test_what_moves_by_itself_is_not(root: Path) -> None:
    before = lines(root)
    append(root, "var/log/journal/system")
    append(root, "etc/pve/.members")
    append(root, LEASES, LEASE.format(2, "active"))
    append(root, "var/tmp/systemd-private-1-named/tmp")
    (root / "var/cache/bind/zone").touch()
    assert difference(before, lines(root)) == []
