"""Would a host itself boot, as which kernel, and could somebody log in if it did not?"""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address

import pytest

from blackstart.checking import boot_facts, expect, has_own_kernel, known
from blackstart.errors import Unproven
from blackstart.model import mounting
from blackstart.model.host_boot import HostBootFacts, Kernels
from blackstart.model.inventory import Inventory
from blackstart.model.next_kernel import next_kernel

pytestmark = pytest.mark.check

HostBoots = Mapping[str, HostBootFacts]
MIB = 1024 * 1024
LEAST_MIB = {"/": 200, "/var": 200, "/var/lib/docker": 200, "/boot": 40, "/boot/efi": 5}
"""A boot writes logs and state; the next kernel and its initrd need their place."""
LEAST_INODES_PERCENT = 2


@pytest.mark.claim(severity="critical", breaks="boot", incident="hypervisor-down")
def test_own_name_is_an_address_of_its_own(
    machine: str, host_boots: HostBoots, inventory: Inventory
) -> None:
    """A hypervisor's name resolves to an address that is up on its own interface, never 127.*:
    pmxcfs hangs on another one, and the boot with it."""
    if inventory.nodes[machine].role != "hypervisor":
        pytest.skip("no hypervisor (inventory: role)")
    facts = boot_facts(host_boots, machine)
    own = known(facts.own_name)
    up = {address for card in known(facts.cards) if card.up for address in card.addresses}
    plain = [address.partition("%")[0] for address in own.addresses]
    wrong = [item for item in plain if ip_address(item).is_loopback or item not in up]
    lines = [
        f"ssh {machine}: {line.where} ({line.address})"
        for line in known(facts.hosts_file)
        if own.name in line.names and line.address in wrong
    ]
    expect(
        bool(plain) and not wrong,
        f"{own.name} resolves to {', '.join(wrong) or 'nothing'}, which is no address of an "
        "interface of its own that is up",
        evidence=(*lines, facts.own_name.source, facts.cards.source),
        fix=f"write this line alone for it into /etc/hosts: "
        f"{inventory.nodes[machine].address} {own.name}.{inventory.domain} {own.name}",
    )


def _kernels(facts: HostBootFacts) -> Kernels:
    """The kernels. Skips the check where a board's firmware loads one that has no release."""
    kernels = known(facts.kernels)
    if kernels.firmware and not kernels.images:
        pytest.skip(f"the firmware loads one of {', '.join(kernels.firmware)}")
    return kernels


@pytest.mark.claim(severity="critical", breaks="boot")
def test_next_kernel_is_whole(host: str, host_boots: HostBoots) -> None:
    """The kernel that boots next has its image, its initrd and its modules."""
    facts = boot_facts(host_boots, host)
    has_own_kernel(facts)
    kernels = _kernels(facts)
    wanted = next_kernel(kernels)
    parts = {"image": kernels.images, "initrd": kernels.initrds, "modules": kernels.modules}
    lacking = [name for name, there in parts.items() if wanted not in there]
    expect(
        not lacking,
        f"{wanted or 'no kernel is in /boot'}: no {', no '.join(lacking)}",
        evidence=facts.kernels.source,
        fix=f"update-initramfs -c -k {wanted or 'RELEASE'}, or install its package again",
    )


@pytest.mark.claim(severity="warning", breaks="boot")
def test_reboot_keeps_the_kernel(host: str, host_boots: HostBoots) -> None:
    """The kernel that boots next is the one that runs: another one has not been tried here."""
    facts = boot_facts(host_boots, host)
    has_own_kernel(facts)
    kernels = _kernels(facts)
    wanted = next_kernel(kernels)
    expect(
        wanted == kernels.running,
        f"{kernels.running} runs, {wanted or 'none of /boot'} boots next",
        evidence=facts.kernels.source,
        fix=f"mean it, or keep the old one: proxmox-boot-tool kernel pin {kernels.running}",
    )


@pytest.mark.claim(severity="critical", breaks="boot")
def test_every_boot_partition_is_there(host: str, host_boots: HostBoots) -> None:
    """Every partition that proxmox-boot-tool keeps kernels on exists: a disk that was replaced
    and not initialised boots nothing."""
    facts = boot_facts(host_boots, host)
    wanted = known(facts.boot_partitions)
    if not wanted:
        pytest.skip(f"nothing in {facts.boot_partitions.source}: it is not in use")
    there = {device.uuid.lower() for device in known(facts.devices)}
    gone = [uuid for uuid in wanted if uuid.lower() not in there]
    expect(
        not gone,
        f"no partition with UUID {', '.join(gone)}",
        evidence=(facts.boot_partitions.source, facts.devices.source),
        fix="proxmox-boot-tool status; after a disk was replaced: proxmox-boot-tool init ESP",
    )


@pytest.mark.claim(severity="critical", breaks="boot")
def test_grub_does_not_wait_for_a_person(host: str, host_boots: HostBoots) -> None:
    """GRUB's menu ends by itself, after a boot that failed, too (``set timeout=-1`` does not).

    On Ubuntu that is what ``GRUB_RECORDFAIL_TIMEOUT=-1`` makes of every boot after a power cut.
    """
    facts = boot_facts(host_boots, host)
    has_own_kernel(facts)
    loader = known(facts.loader)
    if loader.named and "GRUB" not in loader.named:
        pytest.skip(f"{loader.named} loaded this kernel ({facts.loader.source})")
    menus = known(facts.menus)
    if not menus and not loader.grub:
        pytest.skip(f"no GRUB is installed ({facts.loader.source})")
    if not menus:
        # Without any it waits for a key; so does one that was not seen, /boot not being mounted.
        raise Unproven(
            f"{facts.menus.source}: nothing sets a timeout, and GRUB is there "
            f"({', '.join(loader.grub)})"
        )
    waits = [line for line in menus if line.seconds < 0]
    expect(
        not waits,
        f"GRUB waits for a key: {', '.join(line.text for line in waits)}",
        evidence=tuple(f"ssh {host}: {line.where}" for line in waits),
        fix="GRUB_TIMEOUT=5 and GRUB_RECORDFAIL_TIMEOUT=5 in /etc/default/grub, then: update-grub",
    )


@pytest.mark.claim(severity="critical", breaks="boot")
def test_corosync_starts_with_the_clusters_file(machine: str, host_boots: HostBoots) -> None:
    """corosync reads its own copy at boot: with another one than the cluster's it finds nobody."""
    facts = boot_facts(host_boots, machine)
    compared = known(facts.cluster_file)
    if compared == "none":
        pytest.skip(f"no corosync.conf: no part of a cluster ({facts.cluster_file.source})")
    if compared == "alone":
        pytest.skip(f"no /etc/pve: no node of Proxmox VE ({facts.cluster_file.source})")
    expect(
        compared == "same",
        "corosync's own configuration is not the cluster's",
        evidence=facts.cluster_file.source,
        fix="systemctl restart pve-cluster, which copies the cluster's; then compare them again",
    )


@pytest.mark.claim(severity="critical", breaks="boot")
def test_boot_has_room(host: str, host_boots: HostBoots) -> None:
    """File systems that a boot writes to have space and inodes left."""
    facts = boot_facts(host_boots, host)
    wrong = []
    for room in known(facts.rooms):
        if room.free < LEAST_MIB[room.path] * MIB:
            wrong.append(f"{room.path} has {room.free // MIB} MiB left")
        if room.inodes and room.inodes_free * 100 < room.inodes * LEAST_INODES_PERCENT:
            wrong.append(f"{room.path} has {room.inodes_free} inodes left")
    expect(
        not wrong,
        "; ".join(wrong),
        evidence=facts.rooms.source,
        fix="see what fills it: du -xh --max-depth 2 / | sort -h | tail",
    )


@pytest.mark.claim(severity="critical", breaks="boot")
def test_root_is_writable(host: str, host_boots: HostBoots) -> None:
    """The root file system is not read-only: the kernel makes it so when it finds damage."""
    facts = boot_facts(host_boots, host)
    mounted = known(facts.mounted)
    root = mounting.on_top(mounted, "/")
    expect(
        root is not None and "rw" in root.options,
        "the root file system is read-only",
        evidence=facts.mounted.source,
        fix="see why: journalctl -k | grep -i remount; check its disk before anything else",
    )


@pytest.mark.claim(severity="warning", breaks="boot", incident="hypervisor-down")
def test_somebody_can_log_in_when_a_mount_fails(host: str, host_boots: HostBoots) -> None:
    """Where a boot waits for a mount, root can log in to the emergency shell that it ends in.

    It forbids nothing: some other ill must come first, and installers (Ubuntu's, Raspberry Pi
    OS's) lock root wherever they wait for ``/boot``.
    """
    facts = boot_facts(host_boots, host)
    has_own_kernel(facts)
    required = [
        line
        for line in known(facts.fstab)
        if mounting.is_required(line)
        and mounting.names_a_device(line)
        and not (mounting.is_swap(line) or line.path == "/")
    ]
    if not required:
        pytest.skip(f"no boot waits for a mount of {facts.fstab.source}")
    shell = known(facts.emergency)
    expect(
        shell.forced or not shell.root_locked,
        f"a boot waits for {', '.join(line.path for line in required)}, and root is locked",
        evidence=(
            *(f"ssh {host}: {line.where}" for line in required),
            facts.emergency.source,
        ),
        fix="give root a password, or: systemctl edit emergency.service, with "
        "[Service] Environment=SYSTEMD_SULOGIN_FORCE=1",
    )


@pytest.mark.claim(severity="warning", breaks="address")
def test_clock_is_in_sync(host: str, host_boots: HostBoots) -> None:
    """The clock follows a time server: with a wrong one certificates and DNSSEC fail."""
    facts = boot_facts(host_boots, host)
    has_own_kernel(facts)
    expect(
        known(facts.clock_in_sync),
        "the clock is not in sync with any time server",
        evidence=facts.clock_in_sync.source,
        fix="timedatectl status; chronyc sources, or timedatectl timesync-status",
    )
