"""What the rack consists of: machines, the guests inside them, and their addresses.

One frozen description, read by everything that builds the rack. The inventory
of the same site (``inventory/rack.yaml``) is written by hand, as an owner's is,
and a test holds the two together.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from typing import Literal

Role = Literal["hypervisor", "nas"]
GuestKind = Literal["qemu", "lxc"]
GuestRole = Literal["maas", "dns2", "docker", "k3s", "app"]


@dataclass(frozen=True, slots=True)
class Machine:
    """A QEMU virtual machine. Memory in MiB, disk sizes in GiB."""

    name: str
    role: Role
    address: IPv4Address
    mac: str
    bmc_address: IPv4Address
    memory_mib: int
    cpus: int = 1
    root_disk_gib: int = 4
    data_disk_gib: int = 4


@dataclass(frozen=True, slots=True)
class Guest:
    """A systemd container inside a hypervisor, shown by its API as QEMU or LXC.

    ``order`` and ``up_delay_s`` (seconds) are those of the vendor's ``startup``
    property. ``static`` guests carry their address in their own configuration;
    all others get it by DHCP.
    """

    vmid: int
    name: str
    kind: GuestKind
    role: GuestRole
    node: str
    address: IPv4Address
    mac: str
    memory_mib: int
    order: int
    up_delay_s: int = 0
    static: bool = False

    @property
    def efi(self) -> bool:
        """Whether the guest has OVMF firmware, an EFI disk and a cloud-init drive."""
        return self.kind == "qemu"


@dataclass(frozen=True, slots=True)
class Topology:
    """A named set of machines and guests on one network.

    ``bridge_mac`` is fixed: machines that come back from a saved state remember it
    and would answer a new one's questions only after some ten seconds (arp(7)).
    """

    name: str
    site: str
    domain: str
    network: IPv4Network
    controller: IPv4Address
    bridge_mac: str
    machines: tuple[Machine, ...]
    guests: tuple[Guest, ...]

    def machine(self, name: str) -> Machine:
        """The machine of that name; ``KeyError`` when there is none."""
        for machine in self.machines:
            if machine.name == name:
                return machine
        raise KeyError(name)

    def guests_of(self, node: str) -> tuple[Guest, ...]:
        """Guests homed on a hypervisor, in start order."""
        homed = (guest for guest in self.guests if guest.node == node)
        return tuple(sorted(homed, key=lambda guest: (guest.order, guest.vmid)))


def _ip(last: int) -> IPv4Address:
    return IPv4Address(f"10.77.0.{last}")


PVE = Topology(
    name="pve",
    site="rack",
    domain="rack.test",
    network=IPv4Network("10.77.0.0/24"),
    controller=_ip(1),
    bridge_mac="52:54:00:77:00:01",
    machines=(
        Machine("pve1", "hypervisor", _ip(11), "52:54:00:77:00:0b", _ip(111), 2176),
        Machine("pve2", "hypervisor", _ip(12), "52:54:00:77:00:0c", _ip(112), 2176),
        Machine("nas1", "nas", _ip(20), "52:54:00:77:00:14", _ip(120), 640),
    ),
    guests=(
        Guest(102, "maas", "qemu", "maas", "pve1", _ip(53), "bc:24:11:77:00:35", 384, 1, 5, True),
        Guest(110, "docker1", "qemu", "docker", "pve1", _ip(60), "bc:24:11:77:00:3c", 512, 2),
        Guest(114, "k3s1", "qemu", "k3s", "pve1", _ip(71), "bc:24:11:77:00:47", 192, 3),
        Guest(103, "dns2", "lxc", "dns2", "pve2", _ip(54), "bc:24:11:77:00:36", 192, 1),
        Guest(115, "k3s2", "qemu", "k3s", "pve2", _ip(72), "bc:24:11:77:00:48", 192, 2),
        Guest(116, "k3s3", "qemu", "k3s", "pve2", _ip(73), "bc:24:11:77:00:49", 192, 3),
        Guest(120, "app1", "lxc", "app", "pve2", _ip(80), "bc:24:11:77:00:50", 192, 4),
    ),
)

TOPOLOGIES: dict[str, Topology] = {PVE.name: PVE}
