"""Nodes as the API shows them: devices, machines, rack controllers and their services."""

from __future__ import annotations

from typing import Any

from . import API_ROOT
from .store import Record, State, by_id, select
from .units import DHCPD, NAMED, PEBBLE, UnitControl, UnitState
from .views import interface

KINDS = {"machine": "Machine", "device": "Device", "rack-controller": "RackController"}
PATHS = {"machine": "machines", "device": "devices", "rack-controller": "rackcontrollers"}
ZONE = {
    "name": "default",
    "description": "",
    "id": 1,
    "resource_uri": f"{API_ROOT}zones/default/",
}
DEVICE: Record = {
    "address_ttl": None,
    "owner_data": {},
    "node_type": 1,
    "description": "",
    "node_type_name": "Device",
    "workload_annotations": {},
    "parent": None,
    "tag_names": [],
}
SERVICES = {
    "http": PEBBLE,
    "tftp": None,
    "dhcpd6": None,
    "ntp_rack": None,
    "rackd": PEBBLE,
    "dns_rack": NAMED,
    "proxy_rack": None,
    "syslog_rack": None,
    "dhcpd": DHCPD,
    "agent": PEBBLE,
}
"""Services of a rack controller and the unit that each is here; none is not run here (off)."""
_PROGRAMS = {PEBBLE: "maas", NAMED: "named", DHCPD: "dhcpd"}


def domain(state: State, number: int) -> dict[str, Any]:
    """A DNS domain."""
    record = by_id(state, "domains", number) or {}
    resources = select(state, "dnsresources", domain=number)
    return {
        "authoritative": True,
        "ttl": None,
        "is_default": record["is_default"],
        "id": number,
        "resource_record_count": sum(
            len(each["addresses"]) + len(each["records"]) for each in resources
        ),
        "name": record["name"],
        "resource_uri": f"{API_ROOT}domains/{number}/",
    }


def fqdn(state: State, node: Record) -> str:
    """A node's whole name."""
    return f"{node['hostname']}.{domain(state, node['domain'])['name']}"


def addresses_of(state: State, node: Record) -> list[Record]:
    """The addresses of a node's interfaces."""
    cards = {card["id"] for card in select(state, "interfaces", node=node["system_id"])}
    return [held for held in state["addresses"] if held["ip"] and held["interface"] in cards]


def node_view(state: State, node: Record) -> dict[str, Any]:
    """A node of any kind; what nothing here changes comes from its record."""
    cards = select(state, "interfaces", node=node["system_id"])
    shown = {
        **node["attributes"],
        "zone": ZONE,
        "fqdn": fqdn(state, node),
        "hostname": node["hostname"],
        "ip_addresses": [held["ip"] for held in addresses_of(state, node)],
        "interface_set": [interface(state, card) for card in cards],
        "domain": domain(state, node["domain"]),
        "system_id": node["system_id"],
        "resource_uri": f"{API_ROOT}{PATHS[node['kind']]}/{node['system_id']}/",
    }
    if node["kind"] != "rack-controller":
        shown["owner"] = node["owner"]
    if node["kind"] == "machine":
        shown["boot_interface"] = interface(state, cards[0]) if cards else None
    return shown


def service_set(units: UnitControl) -> list[dict[str, str]]:
    """How the services are at this moment; MAAS itself would say so 30 s late."""
    states = units.states(PEBBLE, NAMED, DHCPD)
    return [_service(name, unit, states.get(unit or "")) for name, unit in SERVICES.items()]


def _service(name: str, unit: str | None, state: UnitState | None) -> dict[str, str]:
    if unit is None:
        status, info = "off", ""
    elif unit == PEBBLE:
        # Whoever answers runs, also while systemd still calls it starting.
        status, info = "running", ""
    elif state is None:
        status, info = "unknown", f"{unit} cannot be asked for"
    elif state.active == "active":
        status, info = "running", ""
    else:
        status, info = "dead", f"{_PROGRAMS[unit]} is not running"
    return {"name": name, "status": status, "status_info": info}
