"""Subnets, what of them is taken and free, and their IP ranges."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Network
from typing import Any

from .. import views
from ..addresses import Stretch, free, read_address, subnet_of, taken
from ..errors import Invalid, forbidden, invalid, missing
from ..names import default_domain
from ..nodeviews import fqdn
from ..routing import Call, Endpoint
from ..store import Record, State, by_id, find, select, take_id


def _list(call: Call) -> Any:
    state = call.maas.store.snapshot()
    return [views.subnet(state, each["id"]) for each in state["subnets"]]


def _called(state: State, call: Call) -> Record:
    """The subnet in the path. Raises ``Refused`` when there is none."""
    found = by_id(state, "subnets", call.number("id"))
    if found is None:
        raise missing("Subnet")
    return found


def _read(call: Call) -> Any:
    state = call.maas.store.snapshot()
    return views.subnet(state, _called(state, call)["id"])


def _create(call: Call) -> Any:
    with call.maas.store.changing() as state:
        try:
            cidr = str(IPv4Network(call.values.get("cidr", "")))
        except ValueError:
            raise invalid("cidr", "Required format: <network>/<prefixlen>.") from None
        if find(state, "subnets", cidr=cidr) is not None:
            raise invalid("cidr", "Subnet with this Cidr already exists.")
        given = call.values.get("vlan", "")
        vlan = by_id(state, "vlans", int(given)) if given.isdigit() else state["vlans"][0]
        if vlan is None:
            raise invalid("vlan", "Select a valid choice.")
        number = take_id(state, "subnets")
        subnet = {
            "id": number,
            "name": call.values.get("name", cidr),
            "cidr": cidr,
            "vlan": vlan["id"],
            "gateway_ip": call.values.get("gateway_ip") or None,
            "dns_servers": call.values.get("dns_servers", "").replace(",", " ").split(),
        }
        state["subnets"].append(subnet)
    call.maas.dhcp.follow(call.maas.store)
    return views.subnet(call.maas.store.snapshot(), number)


def _reserved(call: Call) -> Any:
    state = call.maas.store.snapshot()
    return [
        {**_stretch(each), "purpose": sorted(each.purposes)}
        for each in taken(state, _called(state, call))
    ]


def _unreserved(call: Call) -> Any:
    state = call.maas.store.snapshot()
    return [_stretch(each) for each in free(state, _called(state, call))]


def _stretch(each: Stretch) -> dict[str, Any]:
    return {"start": str(each.first), "end": str(each.last), "num_addresses": each.count}


def _statistics(call: Call) -> Any:
    state = call.maas.store.snapshot()
    subnet = _called(state, call)
    network = IPv4Network(subnet["cidr"])
    gaps = [each.count for each in free(state, subnet)]
    total = network.num_addresses - 2
    usage = (total - sum(gaps)) / total
    return {
        "num_available": sum(gaps),
        "largest_available": max(gaps, default=0),
        "num_unavailable": total - sum(gaps),
        "total_addresses": total,
        "usage": usage,
        "usage_string": f"{usage:.0%}",
        "available_string": f"{1 - usage:.0%}",
        "first_address": str(network.network_address + 1),
        "last_address": str(network.broadcast_address - 1),
        "ip_version": 4,
    }


def _ip_addresses(call: Call) -> Any:
    state = call.maas.store.snapshot()
    subnet = _called(state, call)
    held = [each for each in select(state, "addresses", subnet=subnet["id"]) if each["ip"]]
    held.sort(key=lambda each: read_address(each["ip"]) or 0)
    wants = {name: call.values.get(f"with_{name}", "1") != "0" for name in ("username", "summary")}
    return [_held(state, each, **wants) for each in held]


def _held(state: State, held: Record, *, username: bool, summary: bool) -> dict[str, Any]:
    card = by_id(state, "interfaces", held["interface"])
    node = find(state, "nodes", system_id=card["node"]) if card and card["node"] else None
    shown = {
        "ip": held["ip"],
        "alloc_type": held["alloc_type"],
        "created": views.spoken(held["created"]),
        "updated": views.spoken(held["updated"]),
    }
    if summary and node is not None and card is not None:
        shown["node_summary"] = {
            "system_id": node["system_id"],
            "node_type": node["attributes"]["node_type"],
            "fqdn": fqdn(state, node),
            "hostname": node["hostname"],
            "is_container": False,
            "via": card["name"],
        }
    owner = by_id(state, "users", held["user"])
    name = owner["username"] if owner else node["owner"] if node else None
    if username and name is not None:
        shown["user"] = name
    if summary and (records := list(_names(state, held))):
        shown["dns_records"] = records
    return shown


def _names(state: State, held: Record) -> Iterable[dict[str, Any]]:
    for resource in state["dnsresources"]:
        if held["id"] in resource["addresses"]:
            domain = by_id(state, "domains", resource["domain"]) or default_domain(state)
            yield {"id": resource["id"], "name": resource["name"], "domain": domain["name"]}


def _ranges(call: Call) -> Any:
    state = call.maas.store.snapshot()
    return [views.iprange(state, each) for each in state["ipranges"]]


def _create_range(call: Call) -> Any:
    with call.maas.store.changing() as state:
        kind = call.values.get("type", "")
        first, last = (read_address(call.values.get(f"{end}_ip", "")) for end in ("start", "end"))
        if kind not in ("dynamic", "reserved"):
            raise invalid("type", "This field is required.")
        if kind == "dynamic" and not call.user.is_superuser:
            raise forbidden()
        if first is None or last is None:
            raise invalid("start_ip", "This field is required.")
        subnet = subnet_of(state, first)
        if subnet is None or subnet_of(state, last) is not subnet or last < first:
            raise invalid("end_ip", "End IP address must be in the same subnet as the start.")
        wanted = Stretch(first, last)
        if any(each.first <= last and first <= each.last for each in _others(state, subnet, kind)):
            what = "IP address or range" if kind == "dynamic" else "range"
            words = f"Requested {kind} range conflicts with an existing {what}."
            raise Invalid({"start_ip": [words], "end_ip": [words]})
        record: Record = {
            "id": take_id(state, "ipranges"),
            "type": kind,
            "start_ip": str(wanted.first),
            "end_ip": str(wanted.last),
            "subnet": subnet["id"],
            "user": call.user.id,
            "comment": call.values.get("comment", ""),
        }
        state["ipranges"].append(record)
    call.maas.dhcp.follow(call.maas.store)
    return views.iprange(call.maas.store.snapshot(), record)


def _others(state: State, subnet: Record, kind: str) -> list[Stretch]:
    """What a new range must not touch: a reserved one only other ranges."""
    if kind == "dynamic":
        return taken(state, subnet)
    return [each for each in taken(state, subnet) if each.purposes & {"dynamic", "reserved"}]


ENDPOINTS = (
    Endpoint("GET", "subnets/", _list),
    Endpoint("POST", "subnets/", _create, admin=True),
    Endpoint("GET", "subnets/{id}/", _read),
    Endpoint("GET", "subnets/{id}/", _reserved, "reserved_ip_ranges"),
    Endpoint("GET", "subnets/{id}/", _unreserved, "unreserved_ip_ranges"),
    Endpoint("GET", "subnets/{id}/", _statistics, "statistics"),
    Endpoint("GET", "subnets/{id}/", _ip_addresses, "ip_addresses"),
    Endpoint("GET", "ipranges/", _ranges),
    Endpoint("POST", "ipranges/", _create_range),
)
