"""Every fault family on the site of the cases, by the name a case calls it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from blackstart.drivers.base import Site
from blackstart.faults.base import Fault
from blackstart.faults.cold_start import cold_start
from blackstart.faults.guest_reboot import reboot_guest
from blackstart.faults.guest_stop import stop_guest
from blackstart.faults.image_sync import sync_images
from blackstart.faults.lease_renewal import renew_lease
from blackstart.faults.memory import memory_share, memory_until_oom
from blackstart.faults.nas import nas_block, nas_stale, nas_stop
from blackstart.faults.pressed_sync import sync_images_pressed
from blackstart.faults.reboot import power_cut, reboot
from blackstart.faults.service import restart_service
from blackstart.faults.service_stop import stop_service
from blackstart.invariants import (
    addresses_stable,
    containers_run,
    dhcp_answers,
    guests_boot,
    mounts_answer,
    names_resolve,
    nobody_killed,
    nodes_ready,
    services_answer,
)
from blackstart.invariants.base import Invariant
from blackstart.inventory_file import load
from blackstart.model.inventory import Inventory

CASES = Path(__file__).parents[1] / "cases"
UNITS = {
    "box": "docker.service",
    "dns1": "named.service",
    "dns2": "isc-dhcp-server.service",
}
STOPPED = {
    "box": "docker.service",
    "dns1": "snap.maas.pebble.service",
    "dns2": "isc-dhcp-server.service",
}
"""All of MAAS is more than one unit: its servers are parts of it."""

FAMILIES: Mapping[str, tuple[str, Callable[[str], Fault]]] = {
    "reboot": ("a1", reboot),
    "power-cut": ("a2", power_cut),
    "cold-start": ("lab", cold_start),
    "nas-stop": ("nas1", nas_stop),
    "nas-block": ("nas1", nas_block),
    "nas-stale": ("nas1", nas_stale),
    "memory": ("a1", memory_until_oom),
    "memory-share": ("box", lambda host: memory_share(host, "80%")),
    "service-restart": (
        "box",
        lambda host: restart_service(host, UNITS.get(host, "corosync.service")),
    ),
    "service-stop": ("dns1", lambda host: stop_service(host, STOPPED[host])),
    "guest-reboot": ("box", reboot_guest),
    "lease-renewal": ("box", renew_lease),
    "image-sync": ("dns1", sync_images),
    "image-sync-pressed": ("dns1", lambda guest: sync_images_pressed(guest, "80%")),
    "guest-stop": ("box", stop_guest),
    "guest-wipe": ("box", lambda guest: stop_guest(guest, wipe="web")),
}
"""A target that fits, and the fault on a target."""


def shared_site() -> Inventory:
    """The inventory of all cases that bring none of their own."""
    return load(CASES / "inventory.yaml")


def fault_of(family: str, target: str | None = None) -> Fault:
    """A fault on ``target``, or on the one that fits."""
    fitting, make = FAMILIES[family]
    return make(target or fitting)


def promises(site: Site, fault: Fault) -> tuple[Invariant, ...]:
    """All that is promised of the whole site after a fault; of an import, that it kills nobody."""
    return (
        *((nobody_killed(),) if fault.name == "image-sync" else ()),
        guests_boot(),
        names_resolve(),
        containers_run(),
        addresses_stable(),
        services_answer(),
        mounts_answer(),
        *((dhcp_answers(),) if site.inventory.dhcp else ()),
        *((nodes_ready(),) if site.inventory.k3s else ()),
    )
