"""The command lines that are built for QEMU and ssh."""

from __future__ import annotations

from ipaddress import IPv4Address
from pathlib import Path

import pytest

from blackstart.rack import enter, ssh
from blackstart.rack.home import Home
from blackstart.rack.image import Image
from blackstart.rack.qemu_command import TRANSLATION_CACHE_MIB, Boot, command_line
from blackstart.rack.topology import PVE, TOPOLOGIES, Topology

EMULATOR_MIB = 64  # measured: what QEMU itself takes besides memory and translated code
BUDGET_MIB = 6 * 1024


def words(*, kvm: bool = False) -> list[str]:
    boot = Boot(Image(Path("/image")), Home(Path("/home")), "1234", kvm)
    return command_line(PVE.machine("nas1"), boot)


def test_the_emulated_processor_lacks_what_qemu_gets_wrong() -> None:
    assert "cx16=off" in words()[words().index("-cpu") + 1]
    assert words(kvm=True)[words(kvm=True).index("-cpu") + 1] == "host"


def test_the_image_is_never_written() -> None:
    drives = [word for word in words() if word.startswith("driver=")]
    for drive in drives:
        writable = "read-only=off" in drive
        assert writable == ("node-name=root" in drive or "node-name=data" in drive)
        assert writable == ("driver=qcow2" in drive), "only qcow2 can hold the saved state"
    assert "/image/base.raw" in drives[1]


def test_disks_come_in_the_order_that_the_initramfs_expects() -> None:
    serials = [word.split("serial=")[1] for word in words() if "serial=" in word]
    assert [serial.split(",")[0] for serial in serials] == ["root", "base", "data", "seed"]


@pytest.mark.parametrize("topology", TOPOLOGIES.values(), ids=lambda topology: topology.name)
def test_a_topology_keeps_within_six_gib(topology: Topology) -> None:
    needed = sum(
        machine.memory_mib + TRANSLATION_CACHE_MIB[machine.role] + EMULATOR_MIB
        for machine in topology.machines
    )
    assert needed <= BUDGET_MIB


@pytest.fixture
def outside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(enter, "prefix", list)


def test_ssh_never_asks_and_never_accepts_an_unknown_host(outside: None) -> None:
    line = " ".join(ssh.arguments(Home(Path("/home")), IPv4Address("192.0.2.1"), ["true"]))
    for needed in (
        "-F none",
        "StrictHostKeyChecking=yes",
        "BatchMode=yes",
        "UserKnownHostsFile=/home/secrets/known_hosts",
        "GlobalKnownHostsFile=none",
        " -T root@192.0.2.1 -- true",
    ):
        assert needed in line


def test_a_command_in_a_guest_reaches_its_shell_as_it_is() -> None:
    guest = next(guest for guest in PVE.guests if guest.kind == "lxc")
    (line,) = ssh.in_guest(guest, ["echo", "'a b'", "&&", "exit 3"])
    assert f"pve-container@{guest.vmid}.service/payload" in line
    assert line.endswith("""sh -c 'echo '"'"'a b'"'"' && exit 3'""")
