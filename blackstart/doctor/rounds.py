"""Everything that an inventory names, asked side by side; no one waits for another."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from blackstart.doctor import apis, hosts, wires
from blackstart.doctor.contacts import Contacts
from blackstart.doctor.state import failed
from blackstart.drivers.bounded import gather
from blackstart.errors import DriverError
from blackstart.model.reach import Reach

WORKERS = 32
DEADLINE_S = 60.0

Look = Callable[[], tuple[Reach, ...]]


def examine(contacts: Contacts, *, deadline_s: float = DEADLINE_S) -> tuple[Reach, ...]:
    """All of it, within ``deadline_s`` seconds; who has not answered by then is away."""
    looks = _looks(contacts)
    answers = gather(looks, workers=max(WORKERS, 1), timeout_s=deadline_s)
    return tuple(item for thing, answer in answers.items() for item in _said(thing, answer))


def _said(thing: str, answer: tuple[Reach, ...] | DriverError) -> tuple[Reach, ...]:
    return (failed(thing, answer),) if isinstance(answer, DriverError) else answer


def _looks(contacts: Contacts) -> Mapping[str, Look]:
    inventory = contacts.inventory
    looks: dict[str, Look] = {}
    for host in hosts.declared(inventory):
        looks[f"ssh {host}"] = partial(hosts.look, contacts, host)
    if contacts.proxmox is not None:
        for node in contacts.proxmox.apis:
            looks[f"api {node}"] = partial(apis.proxmox_node, contacts, contacts.proxmox, node)
        looks["token"] = partial(apis.proxmox_token, contacts.proxmox)
    if contacts.maas is not None:
        looks["maas"] = partial(apis.maas, inventory, contacts.maas)
    if contacts.k3s is not None:
        for server in contacts.k3s.servers:
            looks[f"k3s {server}"] = partial(apis.k3s_server, contacts.k3s, server)
        looks["k3s nodes"] = partial(apis.k3s_nodes, contacts.k3s)
    for node in inventory.nodes:
        if contacts.power.supports(node):
            looks[f"redfish {node}"] = partial(wires.controller, contacts, node)
    for server in inventory.dns.servers if inventory.dns else ():
        looks[f"dns {server}"] = partial(wires.name_server, contacts, server)
    for interface in wires.interfaces(inventory):
        looks[f"dhcp {interface}"] = partial(wires.dhcp_interface, interface)
    return looks
