"""What is on a guest's disk: its own files over the image, by role."""

from __future__ import annotations

import json
import shutil
import tempfile
import uuid
from collections.abc import Callable
from pathlib import Path

from blackstart.rack.seed import base, dns, files, maas, volumes
from blackstart.rack.topology import Guest, Topology

PROGRAMS = "usr/lib/blackstart-rack"
STANDINS = Path(__file__).resolve().parents[1] / "standins"
K3S = "var/lib/rancher/k3s/server"
K3S_USERS = {
    "k3s-token": "system:serviceaccount:kube-system:blackstart",
    "k3s-blind-token": "system:serviceaccount:kube-system:blind",
}
"""Whose token each secret is. The first may list nodes, as docs/k3s.md has it; the other has no
role of its own."""

# What a container needs of the units that every system starts; the rest of the
# image's (udev, login sessions, tpm, hugepages, ...) costs seconds each boot.
WANTED = {
    "sysinit.target": ("systemd-journald.service",),
    "sockets.target": ("systemd-journald.socket", "systemd-journald-dev-log.socket"),
    "local-fs.target": (),
    "multi-user.target": (),
    "timers.target": (),
}
HIDDEN = ("etc/systemd/system", "usr/lib/systemd/system-generators", "etc/init.d")


def compose(topology: Topology, guest: Guest, secrets: Path, images: Path) -> None:
    """Make the volumes of a guest below ``images``."""
    with tempfile.TemporaryDirectory(dir=images) as scratch:
        disk = Path(scratch)
        (disk / "work").mkdir()
        _root(topology, guest, secrets, disk / "upper")
        if guest.role == "docker":
            _keep_plain(disk, "/var/lib/docker", "/var/lib/containerd")
        identity = f"disk.{guest.name}.{topology.site}"
        volumes.create(guest, disk, str(uuid.uuid5(uuid.NAMESPACE_DNS, identity)), images)


def _keep_plain(disk: Path, *paths: str) -> None:
    """Paths that live on the disk's own file system: overlays cannot be stacked on one."""
    for path in paths:
        (disk / "plain" / path.lstrip("/")).mkdir(parents=True)
    base.write(disk / "binds", "".join(f"{path}\n" for path in paths))


def _root(topology: Topology, guest: Guest, secrets: Path, root: Path) -> None:
    root.mkdir(mode=0o755)
    for path in HIDDEN:
        files.replace_directory(root, path)
    for target, units in WANTED.items():
        wants = f"usr/lib/systemd/system/{target}.wants"
        files.replace_directory(root, wants)
        for unit in units:
            (root / wants / unit).symlink_to(f"../{unit}")
    _identity(topology, guest, secrets, root)
    files.lay("guest", root)
    files.lay("guest-static" if guest.static else "guest-dhcp", root)
    base.enable(root, "guest-network.service")
    base.enable(root, "guest-booted.service")
    base.enable(root, "ssh.socket", target="sockets.target")
    _ROLES[guest.role](topology, guest, secrets, root)


def _identity(topology: Topology, guest: Guest, secrets: Path, root: Path) -> None:
    base.write(root / "etc/hostname", guest.name + "\n")
    base.write(root / "etc/machine-id", base.machine_id(topology, guest.name) + "\n", mode=0o444)
    own = f"{guest.address} {guest.name}.{topology.domain} {guest.name}\n" if guest.static else ""
    base.write(root / "etc/hosts", f"127.0.0.1 localhost\n{own}")
    base.write(root / "etc/resolv.conf", base.resolver(topology))
    if guest.static:
        address = f"{guest.address}/{topology.network.prefixlen}"
        base.write(
            root / "etc/blackstart-rack/network",
            f"ADDRESS={address}\nGATEWAY={topology.controller}\n",
        )
    base.ssh(secrets, guest.name, root)


def _maas(topology: Topology, guest: Guest, secrets: Path, root: Path) -> None:
    maas.compose(topology, guest, secrets, root)
    dns.compose_primary(topology, root)


def _dns2(topology: Topology, _guest: Guest, _secrets: Path, root: Path) -> None:
    dns.compose_secondary(topology, root)


def _docker(_topology: Topology, _guest: Guest, _secrets: Path, root: Path) -> None:
    files.lay("docker", root)
    base.enable(root, "docker.socket", target="sockets.target")
    for unit in ("containerd.service", "docker.service", "web-redeploy.service"):
        base.enable(root, unit)


def _k3s(topology: Topology, guest: Guest, secrets: Path, root: Path) -> None:
    files.lay("k3s", root)
    tls = root / K3S / "tls"
    tls.mkdir(parents=True)
    for name, target, mode in (
        (f"{guest.name}.crt", "serving-kube-apiserver.crt", 0o644),
        (f"{guest.name}.key", "serving-kube-apiserver.key", 0o600),
        ("ca.crt", "server-ca.crt", 0o644),
    ):
        shutil.copyfile(secrets / name, tls / target)
        (tls / target).chmod(mode)
    tokens = "".join(
        f"{(secrets / name).read_text('utf-8').strip()},{user},{number}\n"
        for number, (name, user) in enumerate(K3S_USERS.items(), start=1)
    )
    base.write(root / K3S / "cred/tokens.csv", tokens, mode=0o600)
    cluster = {
        "name": guest.name,
        "members": {g.name: str(g.address) for g in topology.guests if g.role == "k3s"},
        "readers": [K3S_USERS["k3s-token"]],
        "server": f"/{K3S}",
    }
    base.write(root / "etc/rancher/k3s/cluster.json", json.dumps(cluster, indent=2) + "\n")
    for source in sorted((STANDINS / "k3s").glob("*.py")):
        files.copy(source, root / PROGRAMS / "k3s" / source.name)
    base.enable(root, "k3s.service")


def _app(_topology: Topology, _guest: Guest, _secrets: Path, root: Path) -> None:
    files.lay("app", root)
    base.enable(root, "app.service")


_ROLES: dict[str, Callable[[Topology, Guest, Path, Path], None]] = {
    "maas": _maas,
    "dns2": _dns2,
    "docker": _docker,
    "k3s": _k3s,
    "app": _app,
}
