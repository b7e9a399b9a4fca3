"""What MAAS knows when the rack is first built. Runs on the host only.

Every guest with DHCP has a reserved IP; the guest of MAAS itself is its rack controller, with a
static link; every name of BIND's zone is there.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from typing import Any

from blackstart.rack.topology import Guest, Topology

from .addresses import STATIC, USER_RESERVED, add_address
from .images import FILETYPES, LABEL
from .names import add_name
from .store import Record, State

CREATED = 1764547200  # 2025-12-01T00:00Z, the same in every rack
VLAN = 5001
RACK_ID = "mrack1"
OMAPI_PORT = 7911
ADMINISTRATOR, ONLOOKER = "blackstart", "onlooker"
VERSION = "20251201"
IMAGE_BYTES = 512
IMAGES = {
    "ubuntu/jammy": ("ga-22.04", "ga-22.04-lowlatency", "hwe-22.04", "hwe-22.04-lowlatency"),
    "ubuntu/noble": ("ga-24.04", "ga-24.04-lowlatency", "hwe-24.04", "hwe-24.04-lowlatency"),
}
"""Eight boot resources of three files: the 24 resources of the outage of July 2025."""
_TABLES = (
    *("fabrics", "vlans", "subnets", "ipranges", "domains", "nodes", "interfaces"),
    *("addresses", "reservedips", "dnsresources", "events", "boot_resources", "users"),
)
_UNKNOWN_TESTS = (
    *("commissioning", "cpu_test", "interface_test", "memory_test", "network_test"),
    *("other_test", "storage_test", "testing"),
)
_HARDWARE = (
    *("system_vendor", "system_product", "system_family", "system_version", "system_sku"),
    *("system_serial", "cpu_model", "mainboard_vendor", "mainboard_product"),
    *("mainboard_serial", "mainboard_version", "mainboard_firmware_vendor"),
    *("mainboard_firmware_date", "mainboard_firmware_version", "chassis_vendor"),
    *("chassis_type", "chassis_serial", "chassis_version"),
)


@dataclass(frozen=True, slots=True)
class Settings:
    """What follows neither from the topology nor from MAAS.

    ``pool`` are the first and last host of the dynamic range, ``lease_s`` the time of a lease in
    seconds, ``names`` the zone's addresses by name, ``aliases`` names by alias. The keys are
    ``CONSUMER:TOKEN:SECRET``.
    """

    pool: tuple[int, int]
    lease_s: int
    names: Mapping[str, IPv4Address]
    aliases: Mapping[str, str]
    administrators_key: str = field(repr=False)
    onlookers_key: str = field(repr=False)
    omapi_secret: str = field(repr=False)


def first_state(topology: Topology, settings: Settings) -> State:
    """The whole state, the same for the same topology and settings."""
    server = next(guest for guest in topology.guests if guest.role == "maas")
    state: State = {table: [] for table in _TABLES}
    state["next_id"] = {"fabrics": 1, "subnets": 2, "interfaces": 2, "users": 3}
    state["config"] = {"boot_images_auto_import": False, "maas_name": topology.site}
    state["users"] = [
        _user(1, ADMINISTRATOR, settings.administrators_key, administrator=True),
        _user(2, ONLOOKER, settings.onlookers_key, administrator=False),
    ]
    state["domains"] = [{"id": 0, "name": topology.domain, "is_default": True}]
    state["dhcp"] = {
        "server": str(server.address),
        "lease_s": settings.lease_s,
        "omapi_port": OMAPI_PORT,
        "omapi_secret": settings.omapi_secret,
    }
    _network(state, topology, settings.pool)
    _rack_controller(state, server)
    reserved = [guest for guest in topology.guests if not guest.static]
    state["reservedips"] = [_reserved(number, guest) for number, guest in enumerate(reserved, 1)]
    state["next_id"]["reservedips"] = len(reserved) + 1
    _names(state, settings, server)
    state["boot_resources"] = list(_images())
    return state


def _user(number: int, name: str, key: str, *, administrator: bool) -> Record:
    consumer, token, secret = key.split(":")
    return {
        "id": number,
        "username": name,
        "email": f"{name}@example.net",
        "is_superuser": administrator,
        "keys": [{"consumer": consumer, "token": token, "secret": secret}],
    }


def _network(state: State, topology: Topology, pool: tuple[int, int]) -> None:
    network = topology.network
    resolvers = [str(g.address) for g in topology.guests if g.role in ("maas", "dns2")]
    state["fabrics"] = [{"id": 0, "name": "fabric-0"}]
    state["vlans"] = [
        {
            "id": VLAN,
            "vid": 0,
            "name": "untagged",
            "fabric": 0,
            "dhcp_on": True,
            "primary_rack": RACK_ID,
            "secondary_rack": None,
        }
    ]
    state["subnets"] = [
        {
            "id": 1,
            "name": str(network),
            "cidr": str(network),
            "vlan": VLAN,
            "gateway_ip": str(topology.controller),
            "dns_servers": resolvers,
        }
    ]
    state["ipranges"] = [
        {
            "id": 1,
            "type": "dynamic",
            "start_ip": str(network[pool[0]]),
            "end_ip": str(network[pool[1]]),
            "subnet": 1,
            "user": 1,
            "comment": "",
        }
    ]
    state["next_id"]["ipranges"] = 2


def _rack_controller(state: State, server: Guest) -> None:
    """The guest that all of this runs in."""
    node: Record = {
        "system_id": RACK_ID,
        "kind": "rack-controller",
        "hostname": server.name,
        "domain": 0,
        "owner": None,
        "attributes": rack_attributes(str(uuid.uuid5(uuid.NAMESPACE_DNS, server.mac))),
    }
    card: Record = {
        "id": 1,
        "node": RACK_ID,
        "name": "eth0",
        "mac_address": server.mac,
        "type": "physical",
        "vlan": VLAN,
        "attributes": {"numa_node": 0},
    }
    state["nodes"], state["interfaces"] = [node], [card]
    add_address(
        state, CREATED, ip=str(server.address), alloc_type=STATIC, subnet=1, interface=card["id"]
    )


def rack_attributes(hardware_uuid: str) -> dict[str, Any]:
    """What MAAS says of a rack controller besides name, network and services."""
    found: dict[str, Any] = {}
    for test in _UNKNOWN_TESTS:
        found |= {f"{test}_status": -1, f"{test}_status_name": "Unknown"}
    return {
        **found,
        "node_type": 2,
        "node_type_name": "Rack controller",
        "description": "",
        "power_state": "unknown",
        "power_type": "",
        "osystem": "",
        "distro_series": "",
        "cpu_count": 1,
        "cpu_speed": 0,
        "memory": 0,
        "swap_size": None,
        "current_commissioning_result_id": None,
        "current_installation_result_id": None,
        "current_testing_result_id": None,
        "tag_names": [],
        "status_action": None,
        "version": None,
        "hardware_uuid": hardware_uuid,
        "hardware_info": dict.fromkeys(_HARDWARE, "Unknown"),
        "architecture": "amd64/generic",
    }


def _reserved(number: int, guest: Guest) -> Record:
    return {
        "id": number,
        "ip": str(guest.address),
        "mac_address": guest.mac,
        "subnet": 1,
        "comment": guest.name,
    }


def _names(state: State, settings: Settings, server: Guest) -> None:
    """All but the rack controller's own name, which follows from its link."""
    domain = state["domains"][0]
    for name, address in settings.names.items():
        if name != server.name:
            held = add_address(
                state, CREATED, ip=str(address), alloc_type=USER_RESERVED, subnet=1, user=1
            )
            add_name(state, name, domain, addresses=[held["id"]])
    for number, (alias, name) in enumerate(settings.aliases.items(), 1):
        record = {"id": number, "rrtype": "CNAME", "rrdata": name}
        add_name(state, alias, domain, records=[record])
    state["next_id"]["dnsdata"] = len(settings.aliases) + 1


def _images() -> list[Record]:
    found: list[Record] = []
    for name, subarches in IMAGES.items():
        for subarch in subarches:
            number = len(found) + 1
            files = {kind: _file(number, kind) for kind in FILETYPES}
            found.append(
                {
                    "id": number,
                    "name": name,
                    "architecture": f"amd64/{subarch}",
                    "subarches": f"generic,{subarch}",
                    "sets": {VERSION: {"label": LABEL, "files": files}},
                }
            )
    return found


def _file(number: int, filetype: str) -> Record:
    name = f"{number}-{VERSION}-{filetype}"
    return {
        "on_disk": name,
        "filetype": filetype,
        "sha256": hashlib.sha256(image_content(name)).hexdigest(),
        "size": IMAGE_BYTES,
        "complete": True,
    }


def image_content(name: str) -> bytes:
    """What is in a file of an image before the first import: its name, again and again."""
    text = f"{name}\n".encode()
    return (text * IMAGE_BYTES)[:IMAGE_BYTES]
