"""What a host says of its own next boot: what it would mount, start and be called.

Read for checks only: drills compare facts before and after and need none of this.
"""

from __future__ import annotations

from typing import Literal

from blackstart.model.host_docker import DockerFacts
from blackstart.model.host_network import Bridging, Card, GeneratedNetwork, OwnName, Stanza
from blackstart.model.host_storage import Array, BlockDevice, Dataset, Exports, Mounted, Room
from blackstart.model.host_units import Unit
from blackstart.model.located import Line, Located
from blackstart.model.observed import Observed, Record

Content = Literal["something", "nothing", "no answer"]
ClusterFile = Literal["none", "alone", "same", "differs"]
LastEnd = Literal["ordered", "abrupt", "no earlier boot", "nothing kept"]


class FstabLine(Located):
    """One entry of ``/etc/fstab`` (fstab(5)), its octal escapes undone.

    ``spec`` is what is mounted (``UUID=...``, ``10.0.0.1:/export``), as written but for its
    quotes.
    """

    spec: str
    path: str
    fstype: str
    options: tuple[str, ...]


class CryptLine(Located):
    """One entry of ``/etc/crypttab`` (crypttab(5)); ``key`` is empty when a person types it.

    ``key_there`` is whether its key file exists now.
    """

    name: str
    device: str
    key: str
    options: tuple[str, ...]
    key_there: bool


class HostsLine(Located):
    """One line of ``/etc/hosts`` (hosts(5))."""

    address: str
    names: tuple[str, ...]


class Kernels(Record):
    """Releases of the kernel that runs, and of those that could boot.

    ``pinned`` is what proxmox-boot-tool was told to boot next, empty for the newest. ``firmware``
    are kernels without a release in their name, which a board's firmware loads.
    """

    running: str
    images: tuple[str, ...]
    initrds: tuple[str, ...]
    modules: tuple[str, ...]
    pinned: str
    firmware: tuple[str, ...] = ()


class BootLoader(Record):
    """What loads the kernel: ``named`` is what it called itself to the firmware, such as
    ``systemd-boot 257.9`` (empty where nothing did), ``grub`` are signs that GRUB is installed."""

    named: str
    grub: tuple[str, ...]


class MenuTimeout(Line):
    """How long a menu of GRUB waits, in seconds; below 0 until somebody presses a key."""

    seconds: int


class EmergencyShell(Record):
    """Whether root has a password to log in with, and whether one is asked for at all."""

    root_locked: bool
    forced: bool


class HostBootFacts(Record):
    """What one machine says of its own boot.

    ``container`` is the kind of container that it is, empty for a machine with a kernel of its
    own. ``misread`` are lines of fstab that its readers do not understand. ``content`` is what
    a bounded look into each mounted file system found. ``unit_files`` maps those of
    ``UNIT_FILES`` that are there to their state on disk. ``runtime_only`` are units enabled
    until the next boot. ``boot_partitions`` are the UUIDs that proxmox-boot-tool keeps kernels
    on. ``staged_network`` is whether a network configuration waits for the next boot.
    ``pinned_names`` are interface names that a ``.link`` file fixes. ``killed`` are lines of the
    journal of this boot, the kernel's included.
    ``crash_records`` is what the kernel left in persistent memory. ``device_names`` are names
    such as /dev/sdb that backups and scripts use. ``listening`` are TCP ports. ``declared_arrays``
    are UUIDs of ``mdadm.conf``, ``datasets`` have keys of their own, ``thin_checks`` are the own
    options of thin_check(8) that count.
    ``cluster_file`` is how corosync's own configuration and the cluster's compare (``alone``: no
    Proxmox VE, so that there is no other), ``generated_network`` whether a boot reads the
    interfaces that the cluster generated.
    """

    container: Observed[str]
    hosts_file: Observed[tuple[HostsLine, ...]]
    own_name: Observed[OwnName]
    fstab: Observed[tuple[FstabLine, ...]]
    misread: Observed[tuple[Line, ...]]
    crypttab: Observed[tuple[CryptLine, ...]]
    mounted: Observed[tuple[Mounted, ...]]
    content: Observed[dict[str, Content]]
    devices: Observed[tuple[BlockDevice, ...]]
    links: Observed[dict[str, str]]
    rooms: Observed[tuple[Room, ...]]
    units: Observed[tuple[Unit, ...]]
    unit_files: Observed[dict[str, str]]
    runtime_only: Observed[tuple[str, ...]]
    failed: Observed[tuple[str, ...]]
    kernels: Observed[Kernels]
    boot_partitions: Observed[tuple[str, ...]]
    emergency: Observed[EmergencyShell]
    interfaces: Observed[tuple[Stanza, ...]]
    staged_network: Observed[bool]
    cards: Observed[tuple[Card, ...]]
    bridging: Observed[dict[str, Bridging]]
    pinned_names: Observed[tuple[str, ...]]
    resolvers: Observed[tuple[str, ...]]
    clock_in_sync: Observed[bool]
    killed: Observed[tuple[str, ...]]
    last_end: Observed[LastEnd]
    crash_records: Observed[tuple[str, ...]]
    device_names: Observed[tuple[Line, ...]]
    listening: Observed[tuple[int, ...]]
    controller_device: Observed[bool]
    docker: Observed[DockerFacts]
    arrays: Observed[tuple[Array, ...]]
    declared_arrays: Observed[tuple[str, ...]]
    datasets: Observed[tuple[Dataset, ...]]
    loader: Observed[BootLoader]
    menus: Observed[tuple[MenuTimeout, ...]]
    thin_checks: Observed[tuple[Line, ...]]
    exports: Observed[Exports]
    cluster_file: Observed[ClusterFile]
    generated_network: Observed[GeneratedNetwork]
