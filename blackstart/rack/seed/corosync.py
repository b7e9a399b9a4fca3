"""The cluster's messaging: two nodes and a quorum device on the NAS."""

from __future__ import annotations

import shutil
from pathlib import Path

from blackstart.rack.seed import base
from blackstart.rack.topology import Machine, Topology

# Long against a real cluster's 1 s: an emulated machine may not run for seconds.
TOKEN_MS = 5000


def nodes(topology: Topology) -> tuple[Machine, ...]:
    """The hypervisors, which are the cluster's nodes."""
    return tuple(machine for machine in topology.machines if machine.role == "hypervisor")


def witness(topology: Topology) -> Machine:
    """The machine that runs the quorum device's daemon."""
    return next(machine for machine in topology.machines if machine.role == "nas")


def votes(topology: Topology) -> int:
    """Votes when everything is up: one per node, one of the quorum device."""
    return len(nodes(topology)) + 1


def configuration(topology: Topology) -> str:
    """corosync.conf(5), laid out as the vendor's own tool writes it."""
    members = "".join(
        f"  node {{\n    name: {node.name}\n    nodeid: {number}\n"
        f"    quorum_votes: 1\n    ring0_addr: {node.address}\n  }}\n"
        for number, node in enumerate(nodes(topology), start=1)
    )
    return (
        "logging {\n  debug: off\n  to_syslog: yes\n}\n\n"
        f"nodelist {{\n{members}}}\n\n"
        "quorum {\n  device {\n    model: net\n    votes: 1\n"
        f"    net {{\n      algorithm: ffsplit\n      host: {witness(topology).address}\n"
        "      tls: off\n    }\n  }\n  provider: corosync_votequorum\n}\n\n"
        f"totem {{\n  cluster_name: {topology.site}\n  config_version: 3\n"
        "  interface {\n    linknumber: 0\n  }\n  ip_version: ipv4-6\n  link_mode: passive\n"
        f"  secauth: on\n  token: {TOKEN_MS}\n  transport: knet\n  version: 2\n}}\n"
    )


def compose(topology: Topology, secrets: Path, root: Path) -> None:
    """Make a hypervisor a node of the cluster."""
    base.write(root / "etc/corosync/corosync.conf", configuration(topology))
    key = root / "etc/corosync/authkey"
    shutil.copyfile(secrets / "corosync-authkey", key)
    key.chmod(0o400)
    for unit in ("corosync.service", "corosync-qdevice.service"):
        base.enable(root, unit)
