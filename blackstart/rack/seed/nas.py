"""What makes a machine the NAS: its exports, and the cluster's quorum device."""

from __future__ import annotations

from pathlib import Path

from blackstart.rack.seed import base, files, hypervisor
from blackstart.rack.topology import Topology

# Clients wait for the server's grace after its restart; 90 s is the default.
GRACE_S = 15
UNUSED = (  # NFS before version 4, and Kerberos
    "rpcbind.service",
    "rpcbind.socket",
    "rpc-statd.service",
    "rpc-statd-notify.service",
    "nfs-idmapd.service",
    "auth-rpcgss-module.service",
    "rpc-svcgssd.service",
    "rpc-gssd.service",
    "nfs-blkmap.service",
)


def compose(topology: Topology, dest: Path) -> None:
    """Lay the NAS's role over its base."""
    root = dest / "root"
    options = "rw,sync,no_root_squash,no_subtree_check"
    exports = "".join(
        f"/export/{store} {topology.network}({options},fsid={number})\n"
        for number, store in enumerate(hypervisor.STORES, start=1)
    )
    base.write(root / "etc/exports", exports)
    base.write(
        root / "etc/nfs.conf",
        f"[nfsd]\nthreads=2\nvers3=n\nvers4=y\ngrace-time={GRACE_S}\nlease-time={GRACE_S}\n",
    )
    files.mask(root, UNUSED)
    base.write(root / "etc/default/corosync-qnetd", 'COROSYNC_QNETD_OPTIONS="-s off"\n')
    for unit in ("nfs-server.service", "corosync-qnetd.service"):
        base.enable(root, unit)
    for store in hypervisor.STORES:
        (dest / "data" / store).mkdir()
    # As the hypervisors' storage daemon makes them at its first look.
    (dest / "data/backups/dump").mkdir()
    (dest / "data/vms/images").mkdir()
