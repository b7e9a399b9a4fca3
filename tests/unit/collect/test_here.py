"""This machine's own network, from the kernel's files."""

from __future__ import annotations

import subprocess
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

import pytest

from blackstart.collect.here import look_here

ROUTES = """\
Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth0\t00000000\t0100000A\t0003\t0\t0\t100\t00000000\t0\t0\t0
eth0\t0000000A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
eth1\t00004D0A\t00000000\t0201\t0\t0\t0\t00FFFFFF\t0\t0\t0
eth2\t0002A8C0\t00000000\t0000\t0\t0\t0\t00FFFFFF\t0\t0\t0
"""
TRIE = """\
Main:
  +-- 0.0.0.0/0 3 0 5
     |-- 0.0.0.0
        /0 universe UNICAST
     +-- 10.0.0.0/24 2 0 2
        |-- 10.0.0.0
           /24 link UNICAST
        |-- 10.0.0.7
           /32 host LOCAL
        |-- 10.0.0.255
           /32 link BROADCAST
     |-- 127.0.0.1
        /32 host LOCAL
Local:
        |-- 10.0.0.7
           /32 host LOCAL
"""


MOUNTS = """\
/dev/vda1 / ext4 rw,relatime 0 0
nas.lab.test:/export/a /mnt/with\\040space nfs4 rw,vers=4.2,addr=10.0.0.20,local_lock=none 0 0
nas:/export/b /mnt/b nfs rw 0 0
//files/share /mnt/c cifs rw 0 0
tmpfs /run tmpfs rw 0 0
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    files = {
        "proc/sys/kernel/random/boot_id": "0d1f\n",
        "proc/net/route": ROUTES,
        "proc/net/fib_trie": TRIE,
        "proc/self/mounts": MOUNTS,
        "etc/resolv.conf": "search lab.test\nnameserver 10.0.0.53\n# nameserver 10.0.0.9\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def test_addresses_routes_and_resolvers(root: Path) -> None:
    here = look_here(root).value
    assert here is not None
    assert here.boot_id == "0d1f"
    assert here.addresses == (IPv4Address("10.0.0.7"),)
    assert [(route.network, route.gateway) for route in here.routes] == [
        (IPv4Network("0.0.0.0/0"), IPv4Address("10.0.0.1")),
        (IPv4Network("10.0.0.0/24"), None),
    ]
    assert here.resolvers == ("10.0.0.53",)
    assert [(mount.path, mount.server) for mount in here.mounts] == [
        ("/", None),
        ("/mnt/with space", "10.0.0.20"),
        ("/mnt/b", "nas"),
        ("/mnt/c", "files"),
        ("/run", None),
    ]


def test_what_stands_behind_a_stub_is_looked_up(root: Path) -> None:
    (root / "etc/resolv.conf").write_text("nameserver 127.0.0.53\n")
    here = look_here(root).value
    assert here is not None
    assert here.resolvers == ()
    behind = root / "run/systemd/resolve/resolv.conf"
    behind.parent.mkdir(parents=True)
    behind.write_text("nameserver 10.0.0.53\n")
    here = look_here(root).value
    assert here is not None
    assert here.resolvers == ("10.0.0.53",)


def test_a_machine_without_resolvers(root: Path) -> None:
    (root / "etc/resolv.conf").unlink()
    here = look_here(root).value
    assert here is not None
    assert here.resolvers == ()


@pytest.mark.parametrize("name", ["net/route", "net/fib_trie", "self/mounts"])
def test_what_cannot_be_read_is_unknown(root: Path, name: str) -> None:
    (root / "proc" / name).unlink()
    assert "FileNotFoundError" in str(look_here(root).error)


@pytest.mark.parametrize("line", ["eth0\tzz\t00000000\t0001", "eth0\t00000000"])
def test_what_is_not_understood_is_unknown(root: Path, line: str) -> None:
    (root / "proc/net/route").write_text(f"head\n{line}\n")
    assert look_here(root).value is None


def test_this_very_machine() -> None:
    here = look_here()
    assert here.value is not None, here.error
    assert here.value.server_of(Path("/proc/self")) is None
    listed = subprocess.run(["hostname", "-I"], check=True, capture_output=True, text=True)
    mine = {word for word in listed.stdout.split() if "." in word}
    assert mine <= {str(address) for address in here.value.addresses}
