"""What common, healthy hosts really show, and no check may take for an ill."""

from __future__ import annotations

import json
from typing import Any

import pytest

from blackstart.collect.boot_parse import understand
from blackstart.collect.sections import Answer
from blackstart.model.host_boot import HostBootFacts

from .host_boots import answers, ask, checks, fstab, rewritten, saying
from .host_drifts import UNITS, Drift, container, crypttab, engine, unit

CDROM = "/dev/sr0 /media/cdrom0 udf,iso9660 user,noauto 0 0"
STICK = "/dev/sdc1 /mnt/stick auto noauto,user 0 0"
BY_HAND = "nas.lab.test:/e /mnt/e nfs noauto,nofail,_netdev"
ROOT = "/dev/pve/root / ext4 errors=remount-ro 0 1"
INTERFACES = "file /etc/network/interfaces"


def with_cdrom() -> HostBootFacts:
    """What the installer of Debian writes, with an empty drive."""
    empty = rewritten("devices", '{"blockdevices": [', f'{{"blockdevices": [{json.dumps(DRIVE)},')
    written = fstab(ROOT, CDROM)
    return written.model_copy(update={"devices": empty.devices})


DRIVE: dict[str, Any] = {
    "path": "/dev/sr0",
    "type": "rom",
    **dict.fromkeys(("fstype", "uuid", "label", "partuuid", "partlabel")),
    "tran": "ata",
}


def pi(running: str) -> HostBootFacts:
    """Raspberry Pi OS 12: a kernel for each kind of board, and the firmware takes its own."""
    releases = ("6.12.25+rpt-rpi-v8", "6.12.25+rpt-rpi-2712", "6.6.51+rpt-rpi-v8")
    kinds = ("image", "initrd", "modules")
    rows = [f"{kind} {release}" for release in releases for kind in kinds]
    return saying("kernels", f"running {running}", *rows)


def old_pi() -> HostBootFacts:
    """Raspberry Pi OS 11: its kernels have no release in their names, and need no initrd."""
    kernels = (f"firmware /boot/kernel{kind}.img" for kind in ("7", "7l", "8"))
    return saying("kernels", "running 6.1.21-v8+", "modules 6.1.21-v8+", *kernels)


def long_up(killed: str) -> HostBootFacts:
    """A host whose journal has lost its beginning, and how often its kernel says that it killed."""
    given = {**answers(), "oom": Answer(lines=()), "oom_count": Answer(lines=(killed,))}
    return understand("a1", given)


def only_disk(path: str, transport: str | None) -> HostBootFacts:
    """A host with one disk, which nobody watches."""
    disk = {**DRIVE, "path": path, "type": "disk", "tran": transport}
    given = {
        **answers(),
        "devices": Answer(lines=(json.dumps({"blockdevices": [disk]}),)),
        "units": Answer(lines=("Id=x.service", *UNITS.split("\n")[1:9])),
    }
    return understand("a1", given)


def interfaces(*lines: str, up: tuple[str, ...] = ()) -> HostBootFacts:
    """The healthy host with other interfaces written, and these cards up besides."""
    files = "\n".join(answers()["files"].lines).split("\nfile ")
    text = "\n".join(f"{number}:{line}|" for number, line in enumerate(lines, 1))
    kept = [part for part in files if not part.startswith("/etc/network/interfaces\n")]
    whole = "\nfile ".join([*kept, f"/etc/network/interfaces\n{text}"])
    facts = saying("files", *whole.split("\n"))
    cards = facts.cards.value or ()
    more = [cards[0].model_copy(update={"name": name, "up": True, "master": ""}) for name in up]
    there = facts.cards.model_copy(update={"value": (*cards, *more)})
    return facts.model_copy(update={"cards": there})


OVER_VLAN = (
    *("iface eno3 inet manual", "iface eno4 inet manual", "iface eno5 inet manual"),
    *("auto eno3.10", "iface eno3.10 inet static"),
    *("auto vlan20", "iface vlan20 inet static", " vlan-raw-device eno4"),
    *("auto vmbr5", "iface vmbr5 inet manual", " bridge-ports eno5.30"),
)
OVS = (
    *("iface eno3 inet manual", "iface eno4 inet manual"),
    *("allow-vmbr5 bond0", "iface bond0 inet manual", " ovs_type OVSBond", " ovs_bridge vmbr5"),
    " ovs_bonds eno3 eno4",
    *("allow-ovs vmbr5", "iface vmbr5 inet static", " ovs_type OVSBridge", " ovs_ports bond0"),
)
OWN_VLANS = (
    *("iface eno1 inet manual", " bridge-vids 2-4 10"),
    *("auto vmbr0", "iface vmbr0 inet static", " bridge-ports eno1"),
    *(" bridge-vlan-aware yes", " bridge-vids 2-4094"),
)
BUILDER = container("buildx_buildkit_multi0", policy="no", project="", service="")
IMSM = (
    "Personalities : [raid1] ",
    "md126 : active raid1 sda[1] sdb[0]",
    "      976759808 blocks super external:/md127/0 [2/2] [UU]",
    "      ",
    "md127 : inactive sdb[1](S) sda[0](S)",
    "      6056 blocks super external:imsm",
    "       ",
    "unused devices: <none>",
)
WELL: list[tuple[str, Drift]] = [
    ("declared_type_is_the_real_one", with_cdrom),
    ("disk_is_named_by_what_it_is", lambda: fstab(ROOT, STICK)),
    ("disk_is_named_by_what_it_is", lambda: crypttab("stick /dev/sdc2 none noauto")),
    ("network_mount_names_its_server_by_address", lambda: fstab(ROOT, BY_HAND)),
    ("next_kernel_is_whole", lambda: pi("6.12.25+rpt-rpi-v8")),
    ("reboot_keeps_the_kernel", lambda: pi("6.12.25+rpt-rpi-v8")),
    ("reboot_keeps_the_kernel", lambda: pi("6.12.25+rpt-rpi-2712")),
    (
        "interface_that_is_up_comes_up_again",
        lambda: interfaces(*OVER_VLAN, up=("eno3", "eno4", "eno5", "eno3.10", "vlan20", "vmbr5")),
    ),
    (
        "interface_that_is_up_comes_up_again",
        lambda: interfaces(*OVS, up=("eno3", "eno4", "bond0", "vmbr5")),
    ),
    ("vlans_are_as_written", lambda: interfaces(*OWN_VLANS)),
    ("bridge_ports_exist", lambda: interfaces("iface br0", " bridge_ports regex enp.*")),
    (
        "what_runs_is_enabled",
        lambda: unit(
            "netplan-wpa-wlan0.service",
            "enabled-runtime",
            FragmentPath="/run/systemd/system/netplan-wpa-wlan0.service",
        ).model_copy(
            update={"runtime_only": saying("runtime", "netplan-wpa-wlan0.service").runtime_only}
        ),
    ),
    ("definitions_cover_what_runs", lambda: engine(BUILDER)),
    ("containers_start_with_the_engine", lambda: engine(BUILDER)),
    ("next_kernel_is_whole", old_pi),
    ("reboot_keeps_the_kernel", old_pi),
    ("nothing_was_killed_for_memory", lambda: long_up("0")),
    ("disks_are_watched", lambda: only_disk("/dev/mmcblk0", "mmc")),
    ("disks_are_watched", lambda: only_disk("/dev/zd16", None)),
    ("arrays_are_whole", lambda: saying("arrays", *IMSM)),
    ("exports_survive_a_reboot", lambda: rewritten("files", "2:/srv/local \\", "2:/srv/local/ \\")),
]


WARNED = {
    # Who installs it locks root.
    "ubuntu-docker": {"somebody_can_log_in_when_a_mount_fails"},
    # The journal stays in memory to spare the card.
    "raspberry": {"somebody_can_log_in_when_a_mount_fails", "last_boot_ended_in_order"},
}
"""Whole hosts, just installed and set up as their manuals say, and what is told of each."""


@pytest.mark.parametrize("name", WARNED)
def test_a_whole_common_host_is_seen_and_nothing_forbids_its_reboot(name: str) -> None:
    facts = understand("nas", answers(name))
    assert [item for item in HostBootFacts.model_fields if getattr(facts, item).error] == []
    said = {check: ask(check, facts, host="nas") for check in checks()}
    assert {check for check, item in said.items() if item.verdict not in ("pass", "n/a")} == WARNED[
        name
    ], said
    for check in WARNED[name]:
        (claim,) = checks()[check].pytestmark  # type: ignore[attr-defined]
        assert claim.kwargs["severity"] == "warning"


@pytest.mark.parametrize(("check", "host"), WELL, ids=[row[0] for row in WELL])
def test_a_common_host_is_well(check: str, host: Drift) -> None:
    said = ask(check, host())
    assert said.verdict in ("pass", "n/a"), said


ILL: list[tuple[str, Drift, str]] = [
    ("reboot_keeps_the_kernel", lambda: pi("6.6.51+rpt-rpi-v8"), "6.12.25+rpt-rpi-v8 boots next"),
    (
        "vlans_are_as_written",
        lambda: interfaces(*OWN_VLANS[:1], " bridge-vids 2-5", *OWN_VLANS[2:]),
        "eno1 is written, and does not pass: VLAN 5",
    ),
    (
        "interface_that_is_up_comes_up_again",
        lambda: interfaces("allow-manual vmbr5", "iface vmbr5", up=("vmbr5",)),
        "up now and not after a boot: vmbr5",
    ),
    ("disk_is_named_by_what_it_is", lambda: fstab("/dev/sdc1 /b ext4 nofail"), "/b is /dev/sdc1"),
]


@pytest.mark.parametrize(("check", "host", "words"), ILL, ids=[row[0] for row in ILL])
def test_what_looks_alike_and_is_ill_is_red(check: str, host: Drift, words: str) -> None:
    said = ask(check, host())
    assert said.verdict == "fail", said
    assert words in said.words


def test_a_kill_that_the_journal_has_lost_is_not_taken_for_none() -> None:
    said = ask("nothing_was_killed_for_memory", long_up("2"))
    assert (said.verdict, "no kernel lines" in said.words) == ("unproven", True)


def test_a_real_disk_that_nobody_watches_is_red() -> None:
    assert ask("disks_are_watched", only_disk("/dev/sda", "usb")).verdict == "fail"


@pytest.mark.parametrize("check", ["bridge_ports_exist", "bridge_ports_are_pinned"])
def test_a_host_without_bridges_needs_no_ip_that_speaks_json(check: str) -> None:
    busybox = Answer(error="exit 1: Usage: ip [OPTIONS] address|route|link")
    facts = interfaces("auto eth0", "iface eth0 inet dhcp")
    unread = understand("a1", {**answers(), "cards": busybox}).cards
    assert ask(check, facts.model_copy(update={"cards": unread})).verdict == "n/a"
