"""Drifts of what lies below a healthy host's file systems, and of how it starts."""

from __future__ import annotations

from collections.abc import Callable

from blackstart.model.host_boot import HostBootFacts

from .host_boots import rewritten, saying

Drift = Callable[[], HostBootFacts]
ZFS = "tank/vault /tank/vault zfs rw 0 0\n/dev/fuse"


def zfs(*units: str) -> HostBootFacts:
    """The healthy host with a mounted dataset and these units enabled."""
    mounted = rewritten("mounted", "/dev/fuse", ZFS)
    files = dict(mounted.unit_files.value or {}) | dict.fromkeys(units, "enabled")
    return mounted.model_copy(
        update={"unit_files": mounted.unit_files.model_copy(update={"value": files})}
    )


SDN = "file /etc/network/interfaces.d/sdn\n1:auto vnet1|\n2:iface vnet1|\nfile /usr"


def sdn(included: bool) -> HostBootFacts:
    """The healthy host with a generated network."""
    line = "14:source /etc/network/interfaces.d/*|\nfile /usr"
    kept = "14:source /etc/network/interfaces.d/*|" if included else "14:|"
    return rewritten("files", line, f"{kept}\n{SDN}")


STORAGE_RED: list[tuple[str, Drift, str]] = [
    (
        "arrays_are_whole",
        lambda: rewritten("arrays", "[2/2] [UU]", "[2/1] [U_]"),
        "md0 has 1 of 2 disks (ssh a1: /proc/mdstat)",
    ),
    (
        "arrays_are_whole",
        lambda: rewritten("arrays", "sdd1[0]", "sdd1[0](F)"),
        "md0 has a failed disk",
    ),
    (
        "arrays_are_whole",
        lambda: rewritten("arrays", "md0 : active", "md0 : inactive"),
        "md0 is inactive",
    ),
    (
        "arrays_are_declared",
        lambda: rewritten("files", "UUID=1f2e3d4c:", "UUID=99999999:"),
        "1f2e3d4c:00000001:00000002:00000003 runs and is not declared; 99999999:",
    ),
    (
        "thin_pools_start_after_an_unclean_stop",
        lambda: rewritten("lvm", ', "--clear-needs-check-flag"', ""),
        '/etc/lvm/lvm.conf:12: thin_check_options = [ "-q" ]',
    ),
    (
        "no_encrypted_dataset_waits_for_a_person",
        lambda: saying("datasets", "asked prompt tank/my vault"),
        "tank/my vault waits for prompt (ssh a1: zfs get keylocation)",
    ),
    (
        "no_encrypted_dataset_waits_for_a_person",
        lambda: rewritten("datasets", "there", "gone"),
        "tank/vault waits for file:///etc/zfs/key",
    ),
    (
        "zfs_pools_are_imported_at_boot",
        lambda: zfs("zfs-mount.service"),
        "tank/vault is mounted, and not enabled: zfs-import-cache.service or",
    ),
    (
        "zfs_pools_are_imported_at_boot",
        lambda: zfs("zfs-import-scan.service"),
        "and not enabled: zfs-mount.service",
    ),
    (
        "exports_survive_a_reboot",
        lambda: rewritten("files", "2:/srv/local", "2:#/srv/local"),
        "exported by hand: /srv/local",
    ),
    (
        "exports_survive_a_reboot",
        lambda: rewritten("files", "1:/srv/local\t192.0.2.0/24(rw,sync,no_subtree_check)", "1:"),
        "written and not exported: /srv/local",
    ),
    ("generated_network_is_read", lambda: sdn(included=False), "cluster generated are not made"),
    (
        "grub_does_not_wait_for_a_person",
        lambda: rewritten("menus", "timeout=30", "timeout=-1"),
        "GRUB waits for a key: set timeout=-1 (ssh a1: /boot/grub/grub.cfg:58)",
    ),
    (
        "grub_does_not_wait_for_a_person",
        lambda: saying("menus", "/boot/grub2/grub.cfg:9:set timeout=-1"),
        "GRUB waits for a key: set timeout=-1 (ssh a1: /boot/grub2/grub.cfg:9)",
    ),
    (
        "corosync_starts_with_the_clusters_file",
        lambda: saying("cluster_file", "differs"),
        "corosync's own configuration is not the cluster's",
    ),
]
