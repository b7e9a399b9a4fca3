"""What makes each machine itself: files laid over the image, and its data disk."""

from __future__ import annotations

from pathlib import Path

from blackstart.rack.seed import base, corosync, files, hypervisor, nas
from blackstart.rack.topology import Machine, Topology

# What a server without screen, TPM, encrypted disks or users' sessions can do
# without; under emulation each costs up to seconds of every boot.
UNUSED = (
    "ldconfig.service",
    "systemd-binfmt.service",
    "systemd-hwdb-update.service",
    "systemd-journal-catalog-update.service",
    "systemd-firstboot.service",
    "systemd-network-generator.service",
    "systemd-pstore.service",
    "systemd-udev-load-credentials.service",
    "systemd-update-done.service",
    "modprobe@configfs.service",
    "modprobe@drm.service",
    "modprobe@fuse.service",
    "proc-sys-fs-binfmt_misc.automount",
    "sys-fs-fuse-connections.mount",
    "sys-kernel-config.mount",
    "systemd-creds.socket",
    "systemd-importd.socket",
    "systemd-pcrextend.socket",
    "systemd-pcrlock.socket",
    "systemd-sysext.socket",
    "systemd-hibernate-clear.service",
    "systemd-ask-password-console.path",
    "systemd-ask-password-wall.path",
    "getty.target",
)
GENERATORS = (
    "nfs-server-generator",
    "systemd-debug-generator",
    "systemd-getty-generator",
    "systemd-gpt-auto-generator",
    "systemd-hibernate-resume-generator",
    "systemd-import-generator",
    "systemd-rc-local-generator",
    "systemd-ssh-generator",
    "systemd-system-update-generator",
    "systemd-sysv-generator",
    "systemd-tpm2-generator",
)


def compose(topology: Topology, machine: Machine, secrets: Path, dest: Path) -> None:
    """Write ``dest/root/`` (laid over ``/``) and ``dest/data/`` (the data disk).

    ``secrets`` is the directory that `blackstart.rack.pki.fill` made. Owners and
    modes are taken as they are on disk.
    """
    (dest / "root").mkdir(parents=True)
    (dest / "data").mkdir()
    base.compose(topology, machine, secrets, dest / "root")
    files.lay("machine", dest / "root")
    files.mask(dest / "root", UNUSED)
    files.mask(dest / "root", GENERATORS, "etc/systemd/system-generators")
    base.write(
        dest / "root/etc/blackstart-rack/site",
        f"role={machine.role}\naddress={machine.address}\ndomain={topology.domain}\n"
        f"votes={corosync.votes(topology)}\n",
    )
    if machine.role == "hypervisor":
        hypervisor.compose(topology, machine, secrets, dest)
    else:
        nas.compose(topology, dest)
