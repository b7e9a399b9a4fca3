"""What the seeds write, by the checks of a host's own boot: a healthy rack has no finding."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from blackstart.inventory_file import load
from blackstart.model.host_boot import EmergencyShell, HostBootFacts
from blackstart.model.host_network import Card, OwnName
from blackstart.rack import seed
from blackstart.rack.seed.base import NIC
from blackstart.rack.topology import PVE, Machine
from tests.unit.collect.boot_script import asked
from tests.unit.host_boots import ROOT, ask, but

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("mkfs.ext4") is None or shutil.which("qemu-img") is None,
    reason="composing disks needs root, mkfs.ext4 and qemu-img, as the rack does",
)

MACHINES = {machine.name: machine for machine in PVE.machines}
WRITTEN = (
    "fstab_is_understood",
    "network_mount_names_its_server_by_address",
    "network_mount_is_not_required",
    "network_mount_is_bounded",
    "disk_is_named_by_what_it_is",
    "own_name_is_an_address_of_its_own",
    "somebody_can_log_in_when_a_mount_fails",
    "no_network_change_is_staged",
    "interface_that_is_up_comes_up_again",
    "bridge_ports_exist",
    "bridge_ports_are_pinned",
    "vlans_are_as_written",
    "resolver_is_not_a_guest_of_its_own",
    "host_has_a_second_resolver",
)


@pytest.fixture(scope="module")
def composed(secrets: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, HostBootFacts]:
    """What each machine would say of the files that its seed brings."""
    directory = tmp_path_factory.mktemp("seeds")
    found = {}
    for name, machine in MACHINES.items():
        seed.compose(PVE, machine, secrets, directory / name)
        read = asked("files", "crypt_keys", "staged", etc=directory / name / "root/etc")
        written = {
            field: getattr(read, field)
            for field in (
                *("fstab", "misread", "crypttab", "hosts_file", "interfaces", "staged_network"),
                *("pinned_names", "resolvers"),
            )
        }
        forced = (directory / name / "root/etc/systemd/system/emergency.service.d").is_dir()
        found[name] = but(
            cards=cards(machine),
            own_name=OwnName(name=name, addresses=(str(machine.address),)),
            # The image's root has no password.
            emergency=EmergencyShell(root_locked=True, forced=forced),
        ).model_copy(update=written)
    return found


def cards(machine: Machine) -> tuple[Card, ...]:
    """The machine's card, and a hypervisor's bridge, which has the address."""
    address = (str(machine.address),)
    bridged = machine.role == "hypervisor"
    card = Card(
        name=NIC,
        kind="",
        up=True,
        master="vmbr0" if bridged else "",
        addresses=() if bridged else address,
        errors=0,
        vlan_aware=False,
        vlan_id=None,
    )
    bridge = card.model_copy(update={"name": "vmbr0", "kind": "bridge", "addresses": address})
    return (card, bridge) if bridged else (card,)


@pytest.mark.parametrize("check", WRITTEN)
@pytest.mark.parametrize("name", MACHINES)
def test_what_is_written_has_no_finding(
    name: str, check: str, composed: dict[str, HostBootFacts]
) -> None:
    rack = load(ROOT / "inventory/rack.yaml")
    said = ask(check, composed[name], rack, host=name)
    bridged = MACHINES[name].role == "hypervisor"
    assert said.verdict == "pass" or (said.verdict == "n/a" and not bridged), said


def test_what_the_seed_brings_is_really_looked_at(composed: dict[str, HostBootFacts]) -> None:
    for name, facts in composed.items():
        bridged = MACHINES[name].role == "hypervisor"
        assert len(facts.fstab.value or ()) == (4 if bridged else 1)
        assert facts.pinned_names.value == (NIC,)
        assert len(facts.resolvers.value or ()) == 2
