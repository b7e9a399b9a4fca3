"""Every machine's own base: name, addresses, ssh, disks."""

from __future__ import annotations

import shutil
import uuid
from pathlib import Path

from blackstart.rack.topology import Machine, Topology

NIC = "enp0s18"  # PCI slot 0x12 on QEMU's root bus, where Proxmox VE puts a guest's first card
DATA_MOUNT = {"hypervisor": "/srv/local", "nas": "/export"}


def data_uuid(topology: Topology, machine: Machine) -> str:
    """The file system UUID of the machine's data disk."""
    return str(uuid.uuid5(uuid.NAMESPACE_DNS, f"data.{machine.name}.{topology.site}"))


def machine_id(topology: Topology, name: str) -> str:
    """The machine-id(5) of a machine or guest: the same after every rebuild."""
    return uuid.uuid5(uuid.NAMESPACE_DNS, f"id.{name}.{topology.site}").hex


def write(path: Path, content: str, mode: int = 0o644) -> None:
    """Write a file of the seed, its directories included."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")
    path.chmod(mode)


def enable(root: Path, unit: str, target: str = "multi-user.target") -> None:
    """Enable a systemd unit that the image or the seed brings."""
    wants = root / "etc/systemd/system" / f"{target}.wants"
    wants.mkdir(parents=True, exist_ok=True)
    found = root / "etc/systemd/system" / unit
    where = "/etc/systemd/system" if found.exists() else "/usr/lib/systemd/system"
    (wants / unit).symlink_to(f"{where}/{unit}")


def hosts(topology: Topology) -> str:
    """/etc/hosts: every node by its LAN address (a node on 127.* hangs pmxcfs)."""
    lines = ["127.0.0.1 localhost", "::1 localhost ip6-localhost ip6-loopback"]
    lines += [f"{m.address} {m.name}.{topology.domain} {m.name}" for m in topology.machines]
    return "\n".join(lines) + "\n"


def compose(topology: Topology, machine: Machine, secrets: Path, root: Path) -> None:
    """Lay the base of one machine below ``root``."""
    etc = root / "etc"
    write(etc / "hostname", machine.name + "\n")
    write(etc / "machine-id", machine_id(topology, machine.name) + "\n", mode=0o444)
    write(etc / "hosts", hosts(topology))
    write(etc / "resolv.conf", resolver(topology))
    write(etc / "network/interfaces", _interfaces(topology, machine))
    write(etc / "fstab", _fstab(topology, machine))
    write(etc / "systemd/network/10-lan.link", _LINK.format(mac=machine.mac, name=NIC))
    write(etc / "systemd/system/emergency.service.d/rack.conf", _EMERGENCY)
    write(etc / "systemd/journald.conf.d/rack.conf", _JOURNAL)
    (root / "var/log/journal").mkdir(parents=True)
    (root / DATA_MOUNT[machine.role].lstrip("/")).mkdir(parents=True)
    ssh(secrets, machine.name, root)


# The bridge has the card's MAC address, too, and is no card.
_LINK = "[Match]\nMACAddress={mac}\nType=ether\n\n[Link]\nName={name}\n"
# Root has no password, and a boot waits for the data disk.
_EMERGENCY = "[Service]\nEnvironment=SYSTEMD_SULOGIN_FORCE=1\n"
_JOURNAL = "[Journal]\nStorage=persistent\nSystemMaxUse=48M\nRateLimitBurst=0\n"


def resolver(topology: Topology) -> str:
    """resolv.conf(5): the site's own name servers."""
    servers = [g.address for g in topology.guests if g.role in ("maas", "dns2")]
    lines = [f"search {topology.domain}", *(f"nameserver {address}" for address in servers)]
    return "\n".join([*lines, "options timeout:1 attempts:1"]) + "\n"


def _interfaces(topology: Topology, machine: Machine) -> str:
    address = f"{machine.address}/{topology.network.prefixlen}"
    lines = ["auto lo", "iface lo inet loopback", ""]
    if machine.role == "hypervisor":
        lines += [
            f"iface {NIC} inet manual",
            "",
            "auto vmbr0",
            "iface vmbr0 inet static",
            f"    address {address}",
            f"    gateway {topology.controller}",
            f"    bridge_ports {NIC}",
            "    bridge_stp off",
            "    bridge_fd 0",
            f"    bridge_hw {machine.mac}",
            "    bridge_maxwait 0",
        ]
    else:
        lines += [
            f"auto {NIC}",
            f"iface {NIC} inet static",
            f"    address {address}",
            f"    gateway {topology.controller}",
        ]
    return "\n".join(lines) + "\n"


def _fstab(topology: Topology, machine: Machine) -> str:
    disk = f"UUID={data_uuid(topology, machine)}"
    lines = [f"{disk} {DATA_MOUNT[machine.role]} ext4 defaults 0 2"]
    if machine.role == "hypervisor":
        lines.append(
            "/dev/disk/by-id/virtio-base /run/blackstart-rack/base ext4 ro,noload,nofail 0 0"
        )
    return "\n".join(lines) + "\n"


def ssh(secrets: Path, name: str, root: Path) -> None:
    """The ssh server's host key and root's authorized key, of a machine or guest."""
    etc = root / "etc/ssh"
    etc.mkdir(parents=True, exist_ok=True)
    for suffix, mode in (("", 0o600), (".pub", 0o644)):
        key = f"ssh_host_ed25519_key{suffix}"
        shutil.copyfile(secrets / "ssh" / name / key, etc / key)
        (etc / key).chmod(mode)
    write(
        etc / "sshd_config.d/rack.conf",
        # PAM would start a session manager at each login: half of its time.
        "PermitRootLogin prohibit-password\nPasswordAuthentication no\nUsePAM no\nUseDNS no\n"
        "HostKey /etc/ssh/ssh_host_ed25519_key\n",
    )
    authorized = root / "root/.ssh/authorized_keys"
    write(authorized, (secrets / "id_ed25519.pub").read_text("utf-8"), mode=0o600)
    authorized.parent.chmod(0o700)
    (root / "root").chmod(0o700)
