"""Records as the API shows them: networks, addresses, people."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

from . import API_ROOT
from .addresses import ALLOC_TYPES, AUTO, cards_of
from .store import Record, State, by_id, select

Shown = dict[str, Any]

_FULL_CARD: Shown = {
    "tags": [],
    "firmware_version": None,
    "vendor": None,
    "enabled": True,
    "link_speed": 0,
    "params": {},
    "children": [],
    "sriov_max_vf": 0,
    "parents": [],
    "link_connected": True,
    "interface_speed": 0,
    "product": None,
    "numa_node": None,
}


def user(record: Record) -> Shown:
    """A user."""
    return {
        "is_superuser": record["is_superuser"],
        "username": record["username"],
        "email": record["email"],
        "is_local": True,
        "resource_uri": f"{API_ROOT}users/{record['username']}/",
    }


def vlan(state: State, number: int | None) -> Shown | None:
    """A VLAN by its id; ``None`` for an interface that is on none."""
    record = by_id(state, "vlans", number)
    if record is None:
        return None
    fabric = by_id(state, "fabrics", record["fabric"])
    return {
        "vid": record["vid"],
        "mtu": 1500,
        "dhcp_on": record["dhcp_on"],
        "external_dhcp": None,
        "relay_vlan": None,
        "primary_rack": record["primary_rack"],
        "fabric_id": record["fabric"],
        "id": record["id"],
        "fabric": fabric["name"] if fabric else "",
        "secondary_rack": record["secondary_rack"],
        "name": record["name"],
        "space": "undefined",
        "resource_uri": f"{API_ROOT}vlans/{record['id']}/",
    }


def subnet(state: State, number: int | None) -> Shown | None:
    """A subnet by its id."""
    record = by_id(state, "subnets", number)
    if record is None:
        return None
    return {
        "name": record["name"],
        "description": "",
        "vlan": vlan(state, record["vlan"]),
        "cidr": record["cidr"],
        "rdns_mode": 2,
        "gateway_ip": record["gateway_ip"],
        "dns_servers": record["dns_servers"],
        "allow_dns": True,
        "allow_proxy": True,
        "active_discovery": False,
        "managed": True,
        "disabled_boot_architectures": [],
        "id": record["id"],
        "space": "undefined",
        "resource_uri": f"{API_ROOT}subnets/{record['id']}/",
    }


def iprange(state: State, record: Record) -> Shown:
    """An IP range."""
    owner = by_id(state, "users", record["user"])
    return {
        "subnet": subnet(state, record["subnet"]),
        "type": record["type"],
        "start_ip": record["start_ip"],
        "end_ip": record["end_ip"],
        "user": user(owner) if owner else None,
        "comment": record["comment"],
        "id": record["id"],
        "resource_uri": f"{API_ROOT}ipranges/{record['id']}/",
    }


def reserved_ip(state: State, record: Record) -> Shown:
    """A reserved IP."""
    return {
        "subnet": subnet(state, record["subnet"]),
        "ip": record["ip"],
        "mac_address": record["mac_address"],
        "comment": record["comment"],
        "id": record["id"],
        "resource_uri": f"{API_ROOT}reservedips/{record['id']}/",
    }


def interface(state: State, card: Record) -> Shown:
    """An interface; of one that belongs to no node MAAS shows less."""
    shown = {
        **_FULL_CARD,
        **card["attributes"],
        "id": card["id"],
        "name": card["name"],
        "mac_address": card["mac_address"],
        "type": card["type"],
        "vlan": vlan(state, card["vlan"]),
    }
    if card["node"] is None:
        return shown
    links = [link(state, held) for held in select(state, "addresses", interface=card["id"])]
    return {
        **shown,
        "links": links,
        "system_id": card["node"],
        "effective_mtu": 1500,
        "discovered": None,
        "resource_uri": f"{API_ROOT}nodes/{card['node']}/interfaces/{card['id']}/",
    }


def link(state: State, held: Record) -> Shown:
    """How an interface gets its address."""
    if held["subnet"] is None:
        return {"id": held["id"], "mode": "link_up"}
    shown: Shown = {"id": held["id"], "mode": "auto" if held["alloc_type"] == AUTO else "static"}
    if held["ip"]:
        shown["ip_address"] = held["ip"]
    return {**shown, "subnet": subnet(state, held["subnet"])}


def ip_address(state: State, held: Record) -> Shown:
    """An address as ``ipaddresses/`` shows it."""
    owner = by_id(state, "users", held["user"])
    return {
        "created": iso(held["created"]),
        "ip": held["ip"],
        "alloc_type": held["alloc_type"],
        "subnet": subnet(state, held["subnet"]),
        "alloc_type_name": ALLOC_TYPES[held["alloc_type"]],
        "interface_set": [interface(state, card) for card in cards_of(state, held)],
        "owner": user(owner) if owner else None,
        "resource_uri": f"{API_ROOT}ipaddresses/",
    }


def iso(moment: float) -> str:
    """``2026-11-20T14:13:05.971Z``."""
    text = datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def spoken(moment: float) -> str:
    """``Fri, 20 Nov. 2026 14:12:55``."""
    return time.strftime("%a, %d %b. %Y %H:%M:%S", time.gmtime(moment))
