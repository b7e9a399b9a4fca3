"""Every check of a host's own boot shown green, red with its evidence, and unproven."""

from __future__ import annotations

import pytest

from blackstart.model.host_boot import EmergencyShell, HostBootFacts, Kernels
from blackstart.model.host_storage import Room
from blackstart.model.observed import Observed, unread

from .host_boots import ask, but, checks, fstab, rewritten, saying, well
from .host_drifts import NFS, Drift, crypttab, engine, unit
from .host_drifts import RED as HOST_RED
from .invariants.site import site
from .storage_drifts import STORAGE_RED, sdn, zfs

RED = [*HOST_RED, *STORAGE_RED]


@pytest.mark.parametrize("check", checks())
def test_a_healthy_host_is_green(check: str) -> None:
    assert ask(check, well()).verdict in ("pass", "n/a")


@pytest.mark.parametrize(("check", "drift", "words"), RED, ids=[row[0] for row in RED])
def test_red_with_its_evidence(check: str, drift: Drift, words: str) -> None:
    said = ask(check, drift())
    assert said.verdict == "fail", said
    assert words in said.words


def test_every_check_is_shown_red() -> None:
    assert {row[0] for row in RED} == {*checks()}


@pytest.mark.parametrize("check", checks())
def test_a_host_that_does_not_answer_is_unproven(check: str) -> None:
    gone = unread(HostBootFacts, "ssh a1", "No route to host")
    for facts in (gone, None):
        assert ask(check, facts).verdict == "unproven"


# crypttab has no line on the healthy host, so what else its check reads shows with one.
ENCRYPTED = crypttab("c UUID=1 none nofail")
READS = {
    "fstab_is_understood": {"misread"},
    "network_mount_names_its_server_by_address": {"fstab", "hosts_file"},
    "network_mount_is_not_required": {"fstab"},
    "network_mount_is_bounded": {"fstab"},
    "disk_is_named_by_what_it_is": {"fstab", "crypttab"},
    "required_device_is_there": {"container", "fstab", "devices", "links"},
    "declared_type_is_the_real_one": {"container", "fstab", "devices", "links"},
    "every_entry_is_mounted": {"fstab", "mounted"},
    "what_is_mounted_comes_back": {"container", "fstab", "mounted"},
    "mount_holds_something": {"fstab", "mounted", "content"},
    "no_encrypted_volume_waits_for_a_person": {"crypttab", "unit_files"},
    "backups_name_no_disk_by_its_order": {"container", "device_names"},
    "own_name_is_an_address_of_its_own": {"own_name", "cards", "hosts_file"},
    "next_kernel_is_whole": {"container", "kernels"},
    "reboot_keeps_the_kernel": {"container", "kernels"},
    "every_boot_partition_is_there": {"boot_partitions", "devices"},
    "boot_has_room": {"rooms"},
    "root_is_writable": {"mounted"},
    "somebody_can_log_in_when_a_mount_fails": {"container", "fstab", "emergency"},
    "clock_is_in_sync": {"container", "clock_in_sync"},
    "no_unit_has_failed": {"failed"},
    "what_runs_is_enabled": {"units", "runtime_only"},
    "no_needed_unit_is_masked": {"unit_files"},
    "no_unit_file_waits_for_a_reload": {"units"},
    "nothing_was_killed_for_memory": {"killed"},
    "last_boot_ended_in_order": {"container", "last_end"},
    "no_crash_is_on_record": {"container", "crash_records"},
    "no_network_change_is_staged": {"staged_network"},
    "interface_that_is_up_comes_up_again": {"interfaces", "cards"},
    "bridge_ports_exist": {"interfaces", "cards"},
    "bridge_ports_are_pinned": {"interfaces", "cards", "pinned_names"},
    "vlans_are_as_written": {"interfaces", "cards", "bridging"},
    "links_are_free_of_errors": {"container", "cards"},
    "resolver_is_not_a_guest_of_its_own": {"resolvers", "cards"},
    "host_has_a_second_resolver": {"resolvers"},
    "volumes_have_their_containers": {"docker"},
    "containers_start_with_the_engine": {"docker"},
    "definitions_cover_what_runs": {"docker"},
    "disks_are_watched": {"container", "devices", "units"},
    "node_is_measured": {"listening", "units"},
    "controller_events_are_told": {"controller_device", "units"},
    "arrays_are_whole": {"container", "arrays"},
    "arrays_are_declared": {"container", "declared_arrays", "links"},
    "thin_pools_start_after_an_unclean_stop": {"thin_checks"},
    "no_encrypted_dataset_waits_for_a_person": {"container", "datasets"},
    "zfs_pools_are_imported_at_boot": {"container", "mounted", "unit_files"},
    "exports_survive_a_reboot": {"exports", "units"},
    "grub_does_not_wait_for_a_person": {"container", "loader", "menus"},
    "corosync_starts_with_the_clusters_file": {"cluster_file"},
    "generated_network_is_read": {"generated_network"},
}


@pytest.mark.parametrize("check", checks())
def test_a_source_that_cannot_be_read_is_unproven_and_never_red(check: str) -> None:
    needed = set()
    for name in HostBootFacts.model_fields:
        lost = Observed[object](source=f"ssh a1: {name}", error="no answer within 5 s")
        said = ask(check, ENCRYPTED.model_copy(update={name: lost}))
        assert said.verdict != "fail", (name, said)
        if said.verdict == "unproven":
            assert f"ssh a1: {name}: no answer within 5 s" in said.words
            needed.add(name)
    assert needed == READS[check]


def without_grub() -> HostBootFacts:
    """The healthy host, loaded by what names itself to nobody."""
    facts = saying("menus")
    return facts.model_copy(update={"loader": saying("loader").loader})


UNSURE: list[tuple[str, Drift, str]] = [
    (
        "mount_holds_something",
        lambda: rewritten("content", ". /mnt/media", "lost /mnt/media"),
        "no answer of /mnt/media",
    ),
    ("mount_holds_something", lambda: rewritten("content", ". /srv/local\n", ""), "/srv/local"),
    (
        "declared_type_is_the_real_one",
        lambda: rewritten("devices", '"fstype":"vfat"', '"fstype":null'),
        "no type is known of UUID=8D3F-2A10",
    ),
    (
        "grub_does_not_wait_for_a_person",
        lambda: saying("menus"),
        "nothing sets a timeout, and GRUB is there (/boot/grub, /usr/sbin/grub-install)",
    ),
    (
        "network_mount_names_its_server_by_address",
        lambda: fstab("/nowhere /mnt/media nfs nofail"),
        "whose server is not understood: ssh a1: /etc/fstab:1",
    ),
    (
        "definitions_cover_what_runs",
        lambda: saying("definitions", "active", "project web", "unreadable"),
        "docker compose config cannot read project web",
    ),
    (
        "containers_start_with_the_engine",
        lambda: saying("docker", "down"),
        "docker.service does not run; asking would start it",
    ),
]


@pytest.mark.parametrize(("check", "drift", "words"), UNSURE)
def test_what_was_seen_in_part_is_unproven(check: str, drift: Drift, words: str) -> None:
    said = ask(check, drift())
    assert said.verdict == "unproven", said
    assert words in said.words


PINNED = Kernels(
    running="6.8", images=("6.8", "6.14"), initrds=("6.8",), modules=("6.8",), pinned="6.8"
)
FORCED = EmergencyShell(root_locked=True, forced=True)
BIG = Room(path="/", size=10**10, free=10**9, inodes=0, inodes_free=0)
FINE: list[tuple[str, Drift]] = [
    ("network_mount_names_its_server_by_address", lambda: fstab(f"nas-local:/export {NFS}")),
    ("network_mount_names_its_server_by_address", lambda: fstab(f"[2001:db8::20]:/export {NFS}")),
    ("network_mount_is_not_required", lambda: fstab("n:/e /m nfs x-systemd.automount")),
    ("network_mount_is_not_required", lambda: fstab("n:/e /m nfs noauto")),
    ("required_device_is_there", lambda: fstab("UUID=gone /srv/local ext4 nofail")),
    ("declared_type_is_the_real_one", lambda: fstab("LABEL=my\\040data /srv/local auto")),
    ("what_runs_is_enabled", lambda: unit("x.service", "static")),
    ("what_runs_is_enabled", lambda: unit("x.service", "disabled", TriggeredBy="x.socket")),
    ("what_runs_is_enabled", lambda: unit("x.service", "disabled", ActiveState="inactive")),
    ("reboot_keeps_the_kernel", lambda: but(kernels=PINNED)),
    ("somebody_can_log_in_when_a_mount_fails", lambda: but(emergency=FORCED)),
    (
        "boot_has_room",
        lambda: but(rooms=(BIG,)),
    ),
    ("volumes_have_their_containers", engine),
    (
        "zfs_pools_are_imported_at_boot",
        lambda: zfs("zfs-import-cache.service", "zfs-mount.service"),
    ),
    ("generated_network_is_read", lambda: sdn(included=True)),
]


@pytest.mark.parametrize(("check", "drift"), FINE)
def test_what_is_meant_so_is_green(check: str, drift: Drift) -> None:
    inventory = site(compose={})
    said = ask(check, drift(), inventory)
    assert said.verdict == "pass", said


def test_a_project_that_is_declared_and_has_no_container_is_red() -> None:
    said = ask("volumes_have_their_containers", engine(), site(), host="box")
    assert said.verdict == "fail"
    assert "with project shop" in said.words


NOT_HERE: list[tuple[str, Drift, str]] = [
    ("clock_is_in_sync", lambda: saying("container", "container lxc"), "a container (lxc"),
    ("network_mount_is_bounded", lambda: fstab("#"), "no network mount in ssh a1: /etc/fstab"),
    ("containers_start_with_the_engine", lambda: saying("docker", "absent"), "no docker"),
    ("containers_start_with_the_engine", engine, "no container runs"),
    (
        "disks_are_watched",
        lambda: rewritten("devices", '"tran":"sata"', '"tran":"virtio"'),
        "no disk with SMART (ssh a1: lsblk: /dev/sda virtio)",
    ),
    ("controller_events_are_told", lambda: saying("controller", "no"), "no /dev/ipmi0"),
    ("last_boot_ended_in_order", lambda: saying("last_end", "no earlier boot"), "begins with"),
    ("bridge_ports_exist", lambda: rewritten("files", "bridge-ports eno1", ""), "no bridge"),
    ("arrays_are_whole", lambda: saying("arrays"), "no array (ssh a1: /proc/mdstat)"),
    ("arrays_are_declared", lambda: rewritten("files", "ARRAY", "#"), "names no array"),
    ("thin_pools_start_after_an_unclean_stop", lambda: saying("lvm"), "no options of its own"),
    (
        "grub_does_not_wait_for_a_person",
        lambda: rewritten("loader", "named GRUB 2.12-9", "named systemd-boot 257.9-1"),
        "systemd-boot 257.9-1 loaded this kernel (ssh a1: LoaderInfo",
    ),
    ("grub_does_not_wait_for_a_person", without_grub, "no GRUB is installed (ssh a1: LoaderInfo"),
    ("no_encrypted_dataset_waits_for_a_person", lambda: saying("datasets"), "no encrypted datas"),
    ("zfs_pools_are_imported_at_boot", lambda: saying("mounted"), "no ZFS is mounted"),
    (
        "exports_survive_a_reboot",
        lambda: rewritten("units", "Id=nfs-server", "Id=other"),
        "no NFS server runs",
    ),
    (
        "corosync_starts_with_the_clusters_file",
        lambda: saying("cluster_file", "none"),
        "no part of a cluster",
    ),
    (
        "corosync_starts_with_the_clusters_file",
        lambda: saying("cluster_file", "alone"),
        "no node of Proxmox VE",
    ),
]


@pytest.mark.parametrize(("check", "drift", "words"), NOT_HERE)
def test_what_does_not_apply_says_how_that_was_seen(check: str, drift: Drift, words: str) -> None:
    said = ask(check, drift())
    assert said.verdict == "n/a", said
    assert words in said.words


def test_an_engine_that_is_installed_and_not_in_use_does_not_apply() -> None:
    facts = rewritten("unit_files", "docker.service enabled", "docker.service disabled")
    files = dict(facts.unit_files.value or {}) | {"docker.socket": "disabled"}
    down = saying("docker", "down").model_copy(
        update={"unit_files": facts.unit_files.model_copy(update={"value": files})}
    )
    said = ask("containers_start_with_the_engine", down)
    assert said.verdict == "n/a"
    assert "docker.service disabled, docker.socket disabled" in said.words


def test_a_finding_names_the_declared_mounts_it_touches() -> None:
    facts = fstab("192.0.2.20:/export/media /mnt/media nfs defaults")
    assert ask("network_mount_is_not_required", facts, host="box").touches == ("media",)
