"""Drifts of a healthy host, each with the check that it turns red and the words it says."""

from __future__ import annotations

from collections.abc import Callable

from blackstart.model.host_boot import HostBootFacts

from .host_boots import answers, but, fstab, rewritten, saying

Drift = Callable[[], HostBootFacts]
NFS = "/mnt/media nfs4 defaults,_netdev,nofail,x-systemd.mount-timeout=15 0 0"
UNITS = "\n".join(answers()["units"].lines)


def unit(name: str, enabled: str, **changes: str) -> HostBootFacts:
    """The healthy host with one more running service."""
    block = {
        "Id": name,
        "LoadState": "loaded",
        "ActiveState": "active",
        "SubState": "running",
        "UnitFileState": enabled,
        "FragmentPath": f"/etc/systemd/system/{name}",
        "NeedDaemonReload": "no",
        "WantedBy": "",
        **changes,
    }
    text = "\n".join(f"{key}={value}" for key, value in block.items())
    return saying("units", *f"{UNITS}\n\n{text}".split("\n"))


def engine(*records: str, volumes: tuple[str, ...] = ()) -> HostBootFacts:
    """The healthy host with these containers and volumes."""
    return saying("docker", "active", *volumes, "", *records)


def container(name: str, policy: str = "always", project: str = "web", service: str = "web") -> str:
    return f'["/{name}","running","{policy}","{project}","{service}","/opt/c.yaml","False",""]'


def crypttab(line: str) -> HostBootFacts:
    """The healthy host with an encrypted volume."""
    return rewritten("files", "file /etc/hosts", f"file /etc/crypttab\n1:{line}|\nfile /etc/hosts")


RED: list[tuple[str, Drift, str]] = [
    # fstab, as it is written
    ("fstab_is_understood", lambda: fstab("UUID=1 /srv"), "/etc/fstab:1 is misread: UUID=1 /srv"),
    ("fstab_is_understood", lambda: fstab("#", "/a /b ext4 ro\r"), r"/etc/fstab:2 is misread"),
    (
        "network_mount_names_its_server_by_address",
        lambda: fstab("", f"nas.lab.test:/export {NFS}"),
        "/mnt/media is mounted from nas.lab.test (ssh a1: /etc/fstab:2)",
    ),
    (
        "network_mount_is_not_required",
        lambda: fstab("192.0.2.20:/e /mnt/media nfs defaults,_netdev"),
        "required at boot: /mnt/media (ssh a1: /etc/fstab:1)",
    ),
    (
        "network_mount_is_bounded",
        lambda: fstab("192.0.2.20:/e /mnt/media nfs nofail"),
        "/mnt/media lacks _netdev, x-systemd.mount-timeout=15",
    ),
    (
        "disk_is_named_by_what_it_is",
        lambda: fstab("/dev/sdb1 /srv/local ext4 defaults 0 2"),
        "/srv/local is /dev/sdb1 (ssh a1: /etc/fstab:1)",
    ),
    (
        "disk_is_named_by_what_it_is",
        lambda: crypttab("c /dev/sdc2 k"),
        "c is /dev/sdc2 (ssh a1: /etc/crypttab:1)",
    ),
    (
        "required_device_is_there",
        lambda: fstab("UUID=gone /srv/local ext4 defaults"),
        "no such device: UUID=gone (/srv/local) (ssh a1: /etc/fstab:1; ssh a1: lsblk)",
    ),
    (
        "declared_type_is_the_real_one",
        lambda: rewritten("files", "/srv/local ext4", "/srv/local xfs"),
        "/srv/local is ext4, declared as xfs (ssh a1: /etc/fstab:5; ssh a1: lsblk)",
    ),
    # what is mounted
    (
        "every_entry_is_mounted",
        lambda: rewritten("mounted", "/dev/sdb1 /srv/local ext4 rw,relatime 0 0\n", ""),
        "not mounted: /srv/local (ssh a1: /etc/fstab:5",
    ),
    (
        "what_is_mounted_comes_back",
        lambda: rewritten("files", "5:UUID", "5:#UUID"),
        "mounted by hand: /srv/local",
    ),
    (
        "what_is_mounted_comes_back",
        lambda: rewritten("files", "nofail,x", "noauto,x"),
        "mounted by hand: /mnt/media",
    ),
    (
        "mount_holds_something",
        lambda: rewritten("content", ". /mnt/media", "nothing /mnt/media"),
        "nothing is in /mnt/media (ssh a1: /etc/fstab:6",
    ),
    (
        "no_encrypted_volume_waits_for_a_person",
        lambda: crypttab("c UUID=1 none luks"),
        "c waits for a passphrase (ssh a1: /etc/crypttab:1)",
    ),
    (
        "backups_name_no_disk_by_its_order",
        lambda: saying("device_names", "/etc/cron.d/vzdump:3:/dev/sdc1"),
        "/etc/cron.d/vzdump:3 uses /dev/sdc1",
    ),
    # the host itself
    (
        "own_name_is_an_address_of_its_own",
        lambda: saying("own_name", "a1", "127.0.1.1 STREAM a1"),
        "a1 resolves to 127.0.1.1, which is no address",
    ),
    (
        "own_name_is_an_address_of_its_own",
        lambda: saying("own_name", "a1"),
        "a1 resolves to nothing",
    ),
    (
        "own_name_is_an_address_of_its_own",
        lambda: saying("own_name", "a1", "192.0.2.99 STREAM a1"),
        "a1 resolves to 192.0.2.99",
    ),
    (
        "next_kernel_is_whole",
        lambda: rewritten("kernels", "initrd 6.14.11-4-pve\n", ""),
        "6.14.11-4-pve: no initrd",
    ),
    ("next_kernel_is_whole", lambda: saying("kernels", "running 6.1"), "no kernel is in /boot"),
    (
        "reboot_keeps_the_kernel",
        lambda: rewritten("kernels", "running 6.14.11-4", "running 6.8.12-15"),
        "6.8.12-15-pve runs, 6.14.11-4-pve boots next",
    ),
    (
        "every_boot_partition_is_there",
        lambda: rewritten("files", "1:8D3F-2A10", "1:0000-0000"),
        "no partition with UUID 0000-0000",
    ),
    (
        "boot_has_room",
        lambda: saying("rooms", "4096 24000000 100 6000000 60000 /"),
        "/ has 0 MiB left; / has 60000 inodes left",
    ),
    (
        "root_is_writable",
        lambda: rewritten("mounted", "/ ext4 rw", "/ ext4 ro"),
        "the root file system is read-only",
    ),
    (
        "somebody_can_log_in_when_a_mount_fails",
        lambda: saying("root", "locked"),
        "a boot waits for /boot/efi, /srv/local, and root is locked (ssh a1: /etc/fstab:3",
    ),
    ("clock_is_in_sync", lambda: saying("clock", "NTPSynchronized=no"), "not in sync"),
    # units
    ("no_unit_has_failed", lambda: saying("failed", "a.mount loaded failed failed A"), "a.mount"),
    ("what_runs_is_enabled", lambda: unit("x.service", "disabled"), "not be started: x.service"),
    (
        "what_runs_is_enabled",
        lambda: unit("docker.service", "disabled", TriggeredBy="docker.socket"),
        "not be started: docker.service",
    ),
    (
        "no_needed_unit_is_masked",
        lambda: rewritten(
            "unit_files", "pve-cluster.service enabled", "pve-cluster.service masked"
        ),
        "masked: pve-cluster.service",
    ),
    (
        "no_unit_file_waits_for_a_reload",
        lambda: unit("x.service", "enabled", NeedDaemonReload="yes"),
        "not reloaded: x.service",
    ),
    # since the last boot
    (
        "nothing_was_killed_for_memory",
        lambda: saying("oom", "k: Linux version 6", "k: Out of memory: Killed process 1 (kvm)"),
        "Killed process 1 (kvm)",
    ),
    (
        "nothing_was_killed_for_memory",
        lambda: saying("failures", "systemd[1]: 102.scope: Failed with result 'oom-kill'."),
        "102.scope: Failed",
    ),
    ("last_boot_ended_in_order", lambda: saying("last_end", "abrupt"), "just stopped"),
    ("last_boot_ended_in_order", lambda: saying("last_end", "nothing kept"), "is not kept"),
    (
        "no_crash_is_on_record",
        lambda: saying("crashes", "/sys/fs/pstore/dmesg-efi-1"),
        "dmesg-efi-1",
    ),
    # network
    ("no_network_change_is_staged", lambda: saying("staged", "staged"), "next boot"),
    (
        "interface_that_is_up_comes_up_again",
        lambda: rewritten("files", "6:auto vmbr0", "6:"),
        "up now and not after a boot: vmbr0",
    ),
    (
        "bridge_ports_exist",
        lambda: rewritten("files", "bridge-ports eno1", "bridge-ports enp3s0"),
        "vmbr0 has port enp3s0, which is not there (ssh a1: /etc/network/interfaces:7",
    ),
    (
        "bridge_ports_are_pinned",
        lambda: rewritten("files", "5:Name=eno1", "5:"),
        "not pinned: eno1",
    ),
    (
        "vlans_are_as_written",
        lambda: rewritten("bridging", '{"vlan":10}', '{"vlan":100}'),
        "eno1 passes, and is not written: VLAN 100; eno1 is written, and does not pass: VLAN 10",
    ),
    (
        "vlans_are_as_written",
        lambda: rewritten("files", "bridge-vlan-aware yes", ""),
        "vmbr0 is VLAN-aware, written as not VLAN-aware",
    ),
    (
        "links_are_free_of_errors",
        lambda: rewritten("cards", '"rx":{"errors":2}', '"rx":{"errors":386}'),
        "eno1 has 387 errors",
    ),
    (
        "resolver_is_not_a_guest_of_its_own",
        lambda: but(resolvers=("192.0.2.61", "127.0.0.1")),
        "every resolver is its own: 192.0.2.61, 127.0.0.1",
    ),
    ("resolver_is_not_a_guest_of_its_own", lambda: but(resolvers=()), "there is none"),
    ("host_has_a_second_resolver", lambda: but(resolvers=("192.0.2.1",)), "only resolver"),
    # Docker
    (
        "volumes_have_their_containers",
        lambda: engine(volumes=("media-data",)),
        "no container at all, with 1 volumes",
    ),
    (
        "containers_start_with_the_engine",
        lambda: engine(container("web", policy="on-failure")),
        "web has restart: on-failure",
    ),
    (
        "definitions_cover_what_runs",
        lambda: engine(container("hand", project="", service="")),
        "hand has no definition",
    ),
    (
        "definitions_cover_what_runs",
        lambda: engine(container("old", service="old")),
        "old is no service of /opt/c.yaml any more",
    ),
    (
        "definitions_cover_what_runs",
        lambda: saying("definitions", "active", "project web", "missing /opt/web/compose.yaml"),
        "web-web-1 was made from /opt/web/compose.yaml, which is gone",
    ),
    # monitoring
    (
        "disks_are_watched",
        lambda: rewritten("units", "Id=smartmontools", "Id=other"),
        "nobody watches /dev/sda",
    ),
    ("node_is_measured", lambda: saying("listening", "0016"), "nothing listens on port 9100"),
    (
        "controller_events_are_told",
        lambda: rewritten("units", "Id=ipmievd", "Id=other"),
        "ipmievd does not run",
    ),
]
