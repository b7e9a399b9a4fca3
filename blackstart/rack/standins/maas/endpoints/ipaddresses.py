"""``ipaddresses/``: addresses of interfaces, and those that users reserve."""

from __future__ import annotations

import time
from http import HTTPStatus
from ipaddress import IPv4Address
from typing import Any

from .. import views
from ..addresses import (
    USER_RESERVED,
    add_address,
    drop_address,
    dynamic_range,
    holder_of,
    next_free,
    read_address,
    subnet_of,
)
from ..errors import Refused, forbidden
from ..names import add_name, default_domain, split_name
from ..oauth import User
from ..routing import DELETED, Call, Endpoint
from ..store import Record, State, by_id, find, select, take_id


def _list(call: Call) -> Any:
    state = call.maas.store.snapshot()
    if call.values.get("all", "").lower() in ("true", "1", "on"):
        if not call.user.is_superuser:
            raise forbidden("Listing all IP addresses requires admin privileges.")
        found = [held for held in state["addresses"] if held["ip"]]
    else:
        found = select(state, "addresses", user=call.user.id, alloc_type=USER_RESERVED)
    if "ip" in call.values:
        found = [held for held in found if held["ip"] == call.values["ip"]]
    return [views.ip_address(state, held) for held in found]


def _reserve(call: Call) -> Any:
    with call.maas.store.changing() as state:
        subnet, address = _wanted(state, call)
        mac = call.values.get("mac", call.values.get("mac_address", "")).lower()
        if dynamic_range(state, subnet, address) is not None:
            words = f"IP address {address} belongs to an existing dynamic range. To reserve this "
            raise forbidden(f"{words}IP address, a MAC address is required. {_INSTEAD}")
        if holder_of(state, str(address)) is not None:
            words = f"The IP address {address} is already in use."
            raise Refused(HTTPStatus.NOT_FOUND, words)
        held = add_address(
            state,
            time.time(),
            ip=str(address),
            alloc_type=USER_RESERVED,
            subnet=subnet["id"],
            user=call.user.id,
            interface=_card(state, mac, subnet)["id"] if mac else None,
        )
        if call.values.get("hostname"):
            name, domain = split_name(state, call.values["hostname"]) or (
                call.values["hostname"],
                default_domain(state),
            )
            add_name(state, name, domain, addresses=[held["id"]])
    call.maas.dhcp.follow(call.maas.store)
    return views.ip_address(call.maas.store.snapshot(), held)


_INSTEAD = "(Create a device instead.)"


def _wanted(state: State, call: Call) -> tuple[Record, IPv4Address]:
    """Subnet and address that are asked for. Raises ``Refused`` when there are none."""
    text = call.values.get("ip", call.values.get("ip_address", ""))
    if text:
        address = read_address(text)
        subnet = subnet_of(state, address) if address is not None else None
        if address is None or subnet is None:
            words = f"No known subnet for IP address: {text}."
            raise Refused(HTTPStatus.BAD_REQUEST, words)
        return subnet, address
    given = call.values.get("subnet", "")
    named = find(state, "subnets", cidr=given)
    if named is None and given.isdigit():
        named = by_id(state, "subnets", int(given))
    if named is None:
        raise Refused(HTTPStatus.BAD_REQUEST, f"Unable to find subnet matching: {given}")
    found = next_free(state, named)
    if found is None:
        words = f"No more IPs available in subnet: {named['cidr']}."
        raise Refused(HTTPStatus.SERVICE_UNAVAILABLE, words)
    return named, found


def _card(state: State, mac: str, subnet: Record) -> Record:
    """The interface of that MAC; one that nobody has is of an unknown kind."""
    found = find(state, "interfaces", mac_address=mac)
    if found is not None:
        return found
    card: Record = {
        "id": take_id(state, "interfaces"),
        "node": None,
        "name": "eth0",
        "mac_address": mac,
        "type": "unknown",
        "vlan": subnet["vlan"],
        "attributes": {},
    }
    state["interfaces"].append(card)
    return card


def _release(call: Call) -> Any:
    ip = call.values.get("ip", "")
    with call.maas.store.changing() as state:
        held = holder_of(state, ip)
        if held is None or not _may_release(held, call.user, call.values.get("force", "")):
            words = (
                f"IP address {ip} does not exist, is not the correct type of address, or does not "
                "belong to the requesting user.\nIf you are sure you want to release this "
                "address, use force=true as a MAAS administrator."
            )
            raise Refused(HTTPStatus.BAD_REQUEST, words)
        card = by_id(state, "interfaces", held["interface"])
        drop_address(state, held)
        if card is not None and card["node"] is None:
            state["interfaces"].remove(card)
    call.maas.dhcp.follow(call.maas.store)
    return DELETED


def _may_release(held: Record, user: User, force: str) -> bool:
    if user.is_superuser and force.lower() == "true":
        return True
    return (held["alloc_type"], held["user"]) == (USER_RESERVED, user.id)


ENDPOINTS = (
    Endpoint("GET", "ipaddresses/", _list),
    Endpoint("POST", "ipaddresses/", _reserve, "reserve"),
    Endpoint("POST", "ipaddresses/", _release, "release"),
)
