"""The service ``pve-cluster``: the cluster file system of one node.

In two stages, because the boot waits for the first: laying out ``/etc/pve`` and
mounting it needs little; all that speaks to others is imported after that.
"""

from __future__ import annotations

import socket
import sys
import time
from importlib import import_module
from pathlib import Path

from .. import notify
from ..layout import Layout
from ..members import non_loopback_addresses
from .corosync import (
    CONFIGURATION,
    NO_QUORUM,
    Configuration,
    membership,
    read_configuration,
)
from .database import Database
from .mount import BindMount, MountPoint
from .replica import Replica
from .tree import Tree

STATE = Path("/var/lib/pve-cluster")
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def main(_arguments: list[str]) -> int:
    """Serve until SIGTERM. Hangs as long as the node's name has only loopback addresses."""
    layout = Layout.here()
    await_address(layout.node)
    configuration = read_configuration(CONFIGURATION)
    mount = BindMount(STATE / "config", layout.etc_pve)
    boot_id = BOOT_ID.read_text().strip()
    replica = prepare(layout.node, configuration, STATE, boot_id, mount)
    notify.ready()
    service = import_module(".service", __package__)
    service.serve(layout, STATE / "config", configuration, replica, mount)
    return 0


def prepare(
    node: str, configuration: Configuration | None, state: Path, boot_id: str, mount: MountPoint
) -> Replica:
    """Lay out this node's configuration and make it visible, read-only and without quorum."""
    nodes = tuple(each.name for each in configuration.nodes) if configuration else (node,)
    (state / "config").mkdir(parents=True, exist_ok=True)
    replica = Replica(
        Tree(state / "config", node, nodes),
        Database(state / "config.db"),
        configuration.node_id(node) if configuration else 1,
    )
    replica.begin(boot_id)
    # What stood there before the boot may say quorate.
    replica.publish_members(membership(node, configuration, NO_QUORUM))
    mount.attach()
    return replica


def await_address(node: str, poll_s: float = 1.0) -> None:
    """Wait until the node's name resolves to an address that others can reach.

    The vendor's cluster file system does not come up before either, and with it
    the boot hangs: Debian's ``127.0.1.1 NAME`` line in ``/etc/hosts`` is enough.
    """
    said = False
    while not _has_address(node):
        if not said:
            said = True
            print(
                f"Unable to resolve node name '{node}' to a non-loopback IP address - "
                "missing entry in '/etc/hosts' or DNS?",
                file=sys.stderr,
                flush=True,
            )
        time.sleep(poll_s)


def _has_address(node: str) -> bool:
    try:
        return bool(non_loopback_addresses(node))
    except socket.gaierror:
        return False
