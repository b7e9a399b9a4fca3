"""Do the stores come back with their nodes, by themselves, and hold what they must?"""

from __future__ import annotations

import re
from pathlib import PurePosixPath

import pytest

from blackstart.checking import expect, known
from blackstart.checking_guests import node_facts, opened_by, row_of
from blackstart.errors import Unproven
from blackstart.model.facts import Mount, SiteFacts
from blackstart.model.inventory import Inventory
from blackstart.model.proxmox_facts import ProxmoxFacts, StoreDefinition
from blackstart.model.redundancy import critical_guests

pytestmark = pytest.mark.check

NEARLY_FULL = 0.9
NETWORKED = ("nfs", "nfs4", "cifs", "smb3", "ceph", "fuse.sshfs", "glusterfs")
_ADDRESS = re.compile(r"^([0-9.]+|[0-9a-fA-F:]*:[0-9a-fA-F:]+)$")


@pytest.mark.claim(severity="warning", breaks="data")
def test_every_enabled_store_is_active(hypervisor: str, proxmox: ProxmoxFacts) -> None:
    """A store that is enabled and not active is one that did not come back (pvesm(1))."""
    states = node_facts(proxmox, hypervisor).stores
    found = known(states)
    if not found:
        raise Unproven(f"{states.source}: the list of stores is empty; no node is without any")
    away = [store.name for store in found if store.enabled and not store.active]
    expect(
        not away,
        f"{', '.join(away)} is not active on {hypervisor}",
        evidence=states.source,
        fix=f"on {hypervisor}: pvesm status, then mount or import what it is on",
    )


@pytest.mark.claim(severity="warning", breaks="boot")
def test_stores_have_room(hypervisor: str, proxmox: ProxmoxFacts) -> None:
    """After a cold start everything writes at once; a thin image that cannot grow stops."""
    states = node_facts(proxmox, hypervisor).stores
    full = [
        f"{store.name} ({store.share_used:.0%})"
        for store in known(states)
        if store.active and store.share_used >= NEARLY_FULL
    ]
    expect(
        not full,
        f"nearly full on {hypervisor}: {', '.join(full)}",
        evidence=states.source,
        fix="see what is largest: pvesm list STORE; move it, or give the store more room",
    )


@pytest.mark.claim(severity="critical", breaks="data")
def test_thin_pools_have_room(hypervisor: str, proxmox: ProxmoxFacts) -> None:
    """A thin pool without room, or without room for metadata, damages its volumes (lvmthin(7))."""
    pools = node_facts(proxmox, hypervisor).thin_pools
    if not known(pools):
        pytest.skip(f"{hypervisor} has no LVM thin pool ({pools.source})")
    full = [
        f"{pool.name} ({pool.used:.0%} of data, {pool.metadata_used:.0%} of metadata)"
        for pool in known(pools)
        if max(pool.used, pool.metadata_used) >= NEARLY_FULL
    ]
    expect(
        not full,
        f"nearly full on {hypervisor}: {', '.join(full)}",
        evidence=pools.source,
        fix="lvextend -L +SIZE VG/LV, or lvextend --poolmetadatasize +SIZE VG/LV",
    )


@pytest.mark.claim(severity="critical", breaks="boot")
def test_zfs_pools_are_healthy(hypervisor: str, proxmox: ProxmoxFacts) -> None:
    """A pool that is not ONLINE has lost its redundancy; disks fail when they spin up."""
    pools = node_facts(proxmox, hypervisor).pools
    if not known(pools):
        pytest.skip(f"{hypervisor} has no ZFS pool ({pools.source})")
    ill = [f"{pool.name} is {pool.health}" for pool in known(pools) if pool.health != "ONLINE"]
    expect(
        not ill,
        f"on {hypervisor}: {', '.join(ill)}",
        evidence=pools.source,
        fix="zpool status -x; replace the disk that it names: zpool replace POOL OLD NEW",
    )


@pytest.mark.claim(
    severity="critical", breaks="data", incident="2026-04-13-nas-mounts-after-power-loss"
)
def test_directory_store_on_a_mount_says_so(
    hypervisor: str, proxmox: ProxmoxFacts, facts: SiteFacts
) -> None:
    """Without ``is_mountpoint`` a lost mount is written over (PVE::Storage::DirPlugin)."""
    host = facts.hosts.get(hypervisor)
    if host is None:
        raise Unproven(f"nobody looked at {hypervisor}")
    mounts = known(host.mounts)
    silent = [
        f"{store.name} ({store.path} is on {mount.target})"
        for store in _of_node(proxmox, hypervisor)
        if store.kind in ("dir", "btrfs") and store.path and not store.mountpoint
        for mount in [_holding(store.path, mounts)]
        if mount is not None and mount.target != "/"
    ]
    expect(
        not silent,
        f"on {hypervisor}: {', '.join(silent)} would be an empty directory without its mount",
        evidence=(proxmox.stores.source, host.mounts.source),
        fix="pvesm set STORE --is_mountpoint MOUNT-POINT",
    )


@pytest.mark.claim(
    severity="critical", breaks="boot", incident="2026-04-13-nas-mounts-after-power-loss"
)
def test_no_store_comes_from_a_guest(
    hypervisor: str, proxmox: ProxmoxFacts, facts: SiteFacts, inventory: Inventory
) -> None:
    """A store that a guest serves is not there when the guests are started."""
    serving = {str(guest.address): name for name, guest in inventory.guests.items()}
    serving |= {host: name for name, guest in inventory.guests.items() for host in guest.names}
    stores = _of_node(proxmox, hypervisor)
    behind = {
        store.name: serving[server]
        for store in stores
        for server in store.servers
        if server in serving and store.kind != "pbs"
    }
    directories = [store for store in stores if store.kind == "dir" and store.path]
    sources = [proxmox.stores.source]
    if directories:
        host = facts.hosts.get(hypervisor)
        if host is None:
            raise Unproven(f"nobody looked at {hypervisor}")
        mounts = known(host.mounts)
        sources.append(host.mounts.source)
        for store in directories:
            mount = _holding(store.path or "/", mounts)
            server = mount.source.partition(":")[0] if mount else ""
            if mount is not None and mount.fstype in NETWORKED and server in serving:
                behind[store.name] = serving[server]
    expect(
        not behind,
        f"{hypervisor} has from guests: "
        + ", ".join(f"{store} from {guest}" for store, guest in behind.items()),
        evidence=tuple(sources),
        fix="serve it from a machine that starts without the cluster",
        touches=tuple(behind.values()),
    )


@pytest.mark.claim(
    severity="critical", breaks="boot", incident="2026-04-13-nas-mounts-after-power-loss"
)
def test_network_store_is_known_without_a_resolver(hypervisor: str, proxmox: ProxmoxFacts) -> None:
    """A store named by a name needs DNS before the guests that serve DNS are started."""
    named = {
        server: store.name
        for store in _of_node(proxmox, hypervisor)
        for server in store.servers
        if not _ADDRESS.match(server)
    }
    names = node_facts(proxmox, hypervisor).host_names
    unknown = [server for server in named if server.lower() not in known(names)] if named else []
    expect(
        not unknown,
        f"{hypervisor} must resolve "
        + ", ".join(f"{server} for {named[server]}" for server in unknown),
        evidence=(proxmox.stores.source, names.source),
        fix=f"name it by address: pvesm set STORE --server ADDRESS, or put it into /etc/hosts of "
        f"{hypervisor}",
    )


@pytest.mark.claim(
    severity="critical", breaks="boot", incident="2026-04-13-nas-mounts-after-power-loss"
)
def test_critical_guest_is_not_on_the_network(
    guest: str, proxmox: ProxmoxFacts, facts: SiteFacts, inventory: Inventory
) -> None:
    """What DNS, DHCP and MAAS run from must be there before the NAS is."""
    serves = critical_guests(inventory)
    if guest not in serves:
        pytest.skip(f"no other guest waits for {guest} (inventory)")
    row = row_of(proxmox, inventory, guest)
    definitions = {store.name: store for store in known(proxmox.stores)}
    wanted = {item.store for item in opened_by(proxmox, row) if not item.cdrom}
    host = facts.hosts.get(row.node)
    remote = []
    for store in (
        definitions[name] for name in sorted(filter(None, wanted)) if name in definitions
    ):
        if store.servers or store.kind in ("cephfs", "rbd"):
            remote.append(f"{store.name} ({store.kind})")
        elif store.kind == "dir" and store.path:
            if host is None:
                raise Unproven(f"nobody looked at {row.node}")
            mount = _holding(store.path, known(host.mounts))
            if mount is not None and mount.fstype in NETWORKED:
                remote.append(f"{store.name} ({mount.source})")
    expect(
        not remote,
        f"{guest} serves {serves[guest]} and lies on {', '.join(remote)}",
        evidence=(proxmox.stores.source, *([host.mounts.source] if host else [])),
        fix=f"{'qm disk' if row.kind == 'qemu' else 'pct'} move {row.vmid} DISK LOCAL-STORE",
    )


def _of_node(proxmox: ProxmoxFacts, node: str) -> list[StoreDefinition]:
    """Stores that a node would use. Raises ``Unproven``."""
    return [
        store
        for store in known(proxmox.stores)
        if not store.disabled and (not store.nodes or node in store.nodes)
    ]


def _holding(path: str, mounts: tuple[Mount, ...]) -> Mount | None:
    """The mount that a path is on: the longest, and of two at one place the later (mount(8))."""
    holding = [mount for mount in mounts if PurePosixPath(path).is_relative_to(mount.target)]
    return max(reversed(holding), key=lambda mount: len(mount.target), default=None)
