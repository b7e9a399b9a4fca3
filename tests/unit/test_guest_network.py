"""The address of a card, as Proxmox VE writes it in a guest's configuration."""

from __future__ import annotations

from typing import Literal

import pytest

from blackstart.model.guest_network import Configured, configured

MAC = "bc:24:11:00:00:01"
CARD = "virtio=BC:24:11:00:00:01,bridge=vmbr0,firewall=1"
OTHER = "virtio=BC:24:11:00:00:02,bridge=vmbr0"
LXC = "name=eth0,bridge=vmbr0,hwaddr=BC:24:11:00:00:01,type=veth"


@pytest.mark.parametrize(
    ("kind", "config", "expected"),
    [
        ("qemu", {"net0": CARD, "ipconfig0": "ip=dhcp"}, Configured(mode="dhcp", key="ipconfig0")),
        (
            "qemu",
            {"net0": CARD, "ipconfig0": "gw=192.0.2.1,ip=192.0.2.9/24"},
            Configured(mode="static", address="192.0.2.9", key="ipconfig0"),
        ),
        (
            "qemu",
            {"net0": OTHER, "ipconfig0": "ip=dhcp", "net1": CARD, "ipconfig1": "ip=192.0.2.9/24"},
            Configured(mode="static", address="192.0.2.9", key="ipconfig1"),
        ),
        (
            "qemu",
            {"net0": CARD, "ide2": "local:vm-101-cloudinit,media=cdrom"},
            Configured(mode="dhcp", key="net0"),
        ),
        (
            "qemu",
            {"net0": CARD, "name": "cloudinit-test"},
            Configured(mode="inside", key="net0"),
        ),
        (
            "qemu",
            {"net0": CARD, "ipconfig0": "ip6=auto"},
            Configured(mode="inside", key="ipconfig0"),
        ),
        ("qemu", {"net0": OTHER, "ipconfig0": "ip=dhcp"}, Configured(mode="no such card")),
        ("qemu", {}, Configured(mode="no such card")),
        ("lxc", {"net0": f"{LXC},ip=dhcp"}, Configured(mode="dhcp", key="net0")),
        ("lxc", {"net0": f"{LXC},ip=manual"}, Configured(mode="inside", key="net0")),
        ("lxc", {"net0": LXC}, Configured(mode="inside", key="net0")),
        (
            "lxc",
            {"net0": f"{LXC},ip=192.0.2.9/24"},
            Configured(mode="static", address="192.0.2.9", key="net0"),
        ),
    ],
)
def test_how_a_card_gets_its_address(
    kind: Literal["qemu", "lxc"], config: dict[str, str], expected: Configured
) -> None:
    assert configured(kind, config, MAC) == expected
