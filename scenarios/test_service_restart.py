"""A service restarts: does everybody who needs it find it again?

A drill here restarts what the inventory says that its target serves; a target that serves
nothing of the kind is left out, with the reason.
"""

from __future__ import annotations

import pytest

from blackstart.drill import Drill
from blackstart.faults.service import COROSYNC, DHCP, DNS, DOCKER, LIBVIRT, MAAS, restart_service
from blackstart.invariants.everything_well import everything_well
from blackstart.model.inventory import Inventory


def name_servers(inventory: Inventory) -> set[str | None]:
    """Guests that are name servers."""
    return {server.guest for server in inventory.dns.servers.values()} if inventory.dns else set()


@pytest.mark.drill(fault="service-restart", budget="3m")
def test_dhcp_restart(drill: Drill, willing_guest: str, inventory: Inventory) -> None:
    """Every guest keeps its address while MAAS' DHCP server (or all of MAAS) restarts."""
    if willing_guest not in name_servers(inventory):
        pytest.skip(f"{willing_guest} is no name server of the inventory, so it is not MAAS")
    with drill.fault(restart_service(willing_guest, *DHCP, *MAAS)):
        drill.recovers(*everything_well())


@pytest.mark.drill(fault="service-restart", budget="3m")
def test_dns_restart(drill: Drill, willing_guest: str, inventory: Inventory) -> None:
    """Every name resolves again after a name server (or all of MAAS) was restarted."""
    if willing_guest not in name_servers(inventory):
        pytest.skip(f"{willing_guest} is no name server of the inventory")
    with drill.fault(restart_service(willing_guest, *DNS, *MAAS)):
        drill.recovers(*everything_well())


@pytest.mark.drill(fault="service-restart", budget="5m")
def test_docker_restart(drill: Drill, willing_guest: str, inventory: Inventory) -> None:
    """Every container runs again, by its restart policy, after its engine was restarted."""
    if willing_guest not in {project.guest for project in inventory.compose.values()}:
        pytest.skip(f"{willing_guest} runs no Compose project of the inventory")
    with drill.fault(restart_service(willing_guest, *DOCKER)):
        drill.recovers(*everything_well())


@pytest.mark.drill(fault="service-restart", budget="3m")
def test_corosync_restart(drill: Drill, node: str, inventory: Inventory) -> None:
    """The cluster is quorate again after corosync was restarted on one node."""
    if inventory.nodes[node].api != "proxmox":
        pytest.skip(f"{node} is no Proxmox node, so it has no corosync of its cluster")
    with drill.fault(restart_service(node, *COROSYNC)):
        drill.recovers(*everything_well())


@pytest.mark.drill(fault="service-restart", budget="3m")
def test_libvirt_restart(drill: Drill, node: str, inventory: Inventory) -> None:
    """Guests run on while libvirt is restarted under them."""
    if inventory.nodes[node].api == "proxmox":
        pytest.skip(f"{node} is a Proxmox node, which has no libvirt")
    with drill.fault(restart_service(node, *LIBVIRT)):
        drill.recovers(*everything_well())
