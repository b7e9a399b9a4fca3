"""Would somebody be told before a host is lost, and see that it is?"""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from blackstart.checking import boot_facts, expect, has_own_kernel, known
from blackstart.model.host_boot import HostBootFacts

pytestmark = pytest.mark.check

HostBoots = Mapping[str, HostBootFacts]
EXPORTER_PORT = 9100
EXPORTERS = ("prometheus-node-exporter.service", "node_exporter.service", "node-exporter.service")
SMARTD = ("smartmontools.service", "smartd.service")
EVENTS = ("ipmievd.service",)
NO_SMART = ("virtio", "mmc", "iscsi")
"""Disks of a virtual machine and of another host tell nothing of the real ones, cards nothing."""
NO_DISK = tuple(f"/dev/{name}" for name in ("zram", "loop", "zd", "nbd", "rbd", "drbd", "mmcblk"))


def _runs(facts: HostBootFacts, names: tuple[str, ...]) -> bool:
    return any(unit.name in names and unit.active == "active" for unit in known(facts.units))


@pytest.mark.claim(severity="warning", breaks="visibility", incident="hypervisor-down")
def test_disks_are_watched(machine: str, host_boots: HostBoots) -> None:
    """smartd watches the disks of every node: they fail when they spin up after a power loss."""
    facts = boot_facts(host_boots, machine)
    has_own_kernel(facts)
    disks = [device for device in known(facts.devices) if device.kind == "disk"]
    real = [
        device.path
        for device in disks
        if device.transport not in NO_SMART and not device.path.startswith(NO_DISK)
    ]
    if not real:
        told = ", ".join(f"{device.path} {device.transport}" for device in disks) or "no disk"
        pytest.skip(f"no disk with SMART ({facts.devices.source}: {told})")
    expect(
        _runs(facts, SMARTD),
        f"smartd does not run, and nobody watches {', '.join(real)}",
        evidence=(facts.units.source, facts.devices.source),
        fix="apt install smartmontools; systemctl enable --now smartmontools",
    )


@pytest.mark.claim(severity="warning", breaks="visibility", incident="hypervisor-down")
def test_node_is_measured(machine: str, host_boots: HostBoots) -> None:
    """A node exporter answers on every node: by its unit, or by what listens on its port."""
    facts = boot_facts(host_boots, machine)
    expect(
        EXPORTER_PORT in known(facts.listening),
        f"nothing listens on port {EXPORTER_PORT}"
        + (", though the exporter's unit is active" * _runs(facts, EXPORTERS)),
        evidence=(facts.listening.source, facts.units.source),
        fix="apt install prometheus-node-exporter, or say in not_applicable why none is meant",
    )


@pytest.mark.claim(severity="warning", breaks="visibility", incident="hypervisor-down")
def test_controller_events_are_told(machine: str, host_boots: HostBoots) -> None:
    """Where a machine has a management controller, its events (power, fans, disks) are read."""
    facts = boot_facts(host_boots, machine)
    if not known(facts.controller_device):
        pytest.skip(f"no {facts.controller_device.source.partition(': ')[2]}: no IPMI controller")
    expect(
        _runs(facts, EVENTS),
        "ipmievd does not run, and nobody reads the controller's events",
        evidence=(facts.units.source, facts.controller_device.source),
        fix="apt install ipmitool; systemctl enable --now ipmievd",
    )
