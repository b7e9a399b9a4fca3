"""Where everything lies on the machine; tests lay it out in a directory of their own."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

GUEST_PROGRAM = Path("/usr/lib/blackstart-rack/guest")


@dataclass(frozen=True, slots=True)
class Layout:
    """Paths of one node. ``node`` is its name, as in ``/etc/pve/nodes/NODE``."""

    node: str
    etc_pve: Path
    task_logs: Path
    status: Path
    locks: Path
    mountinfo: Path
    interfaces: Path
    hosts: Path = Path("/etc/hosts")
    systemctl: Path = Path("/usr/bin/systemctl")
    qdevice: Path = Path("/run/corosync-qdevice/corosync-qdevice.sock")

    @classmethod
    def here(cls) -> Layout:
        """The layout of the machine that this process runs on."""
        return cls(
            node=os.uname().nodename.partition(".")[0],
            etc_pve=Path("/etc/pve"),
            task_logs=Path("/var/log/pve/tasks"),
            status=Path("/run/pve-cluster/status"),
            locks=Path("/run/lock"),
            mountinfo=Path("/proc/self/mountinfo"),
            interfaces=Path("/sys/class/net"),
        )

    @property
    def members(self) -> Path:
        """The cluster's members as the cluster file system sees them."""
        return self.etc_pve / ".members"

    @property
    def private(self) -> Path:
        """Secrets, readable by root only."""
        return self.etc_pve / "priv"

    @property
    def authority(self) -> Path:
        """Certificate of the CA that signed every node's certificate."""
        return self.etc_pve / "pve-root-ca.pem"

    def certificate(self, node: str) -> Path:
        """A node's certificate."""
        return self.etc_pve / "nodes" / node / "pve-ssl.pem"

    def key(self, node: str) -> Path:
        """The private key of a node's certificate."""
        return self.etc_pve / "nodes" / node / "pve-ssl.key"
