"""What makes each machine itself: files laid over the image, and its data disk."""

from __future__ import annotations

from pathlib import Path

from blackstart.rack.seed import base, corosync, files, hypervisor, nas
from blackstart.rack.topology import Machine, Topology


def compose(topology: Topology, machine: Machine, secrets: Path, dest: Path) -> None:
    """Write ``dest/root/`` (laid over ``/``) and ``dest/data/`` (the data disk).

    ``secrets`` is the directory that `blackstart.rack.pki.fill` made. Owners and
    modes are taken as they are on disk.
    """
    (dest / "root").mkdir(parents=True)
    (dest / "data").mkdir()
    base.compose(topology, machine, secrets, dest / "root")
    files.lay("machine", dest / "root")
    base.write(
        dest / "root/etc/blackstart-rack/site",
        f"role={machine.role}\naddress={machine.address}\ndomain={topology.domain}\n"
        f"votes={corosync.votes(topology)}\n",
    )
    if machine.role == "hypervisor":
        hypervisor.compose(topology, machine, secrets, dest)
    else:
        nas.compose(topology, dest)
