"""``reservedips/`` (from MAAS 3.6): an address for a MAC, given by DHCP."""

from __future__ import annotations

import re
from ipaddress import IPv4Address
from typing import Any

from .. import views
from ..addresses import cards_of, dynamic_range, holder_of, read_address, subnet_of
from ..errors import Invalid, invalid, missing
from ..routing import DELETED, Call, Endpoint
from ..store import Record, State, by_id, find, take_id

MAC = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}")
IMMUTABLE = (
    "The ip, mac_address and the subnet of a reserved IP are immutable. "
    "Delete the entry and recreate it."
)


def _list(call: Call) -> Any:
    state = call.maas.store.snapshot()
    return [views.reserved_ip(state, each) for each in state["reservedips"]]


def _read(call: Call) -> Any:
    state = call.maas.store.snapshot()
    return views.reserved_ip(state, _called(state, call))


def _called(state: State, call: Call) -> Record:
    """The reserved IP in the path. Raises ``Refused`` when there is none."""
    record = by_id(state, "reservedips", call.number("id"))
    if record is None:
        raise missing("ReservedIP")
    return record


def _create(call: Call) -> Any:
    with call.maas.store.changing() as state:
        address, mac = _given(call)
        subnet = _subnet(state, call, address)
        _require_free(state, subnet, address, mac)
        record = {
            "id": take_id(state, "reservedips"),
            "ip": str(address),
            "mac_address": mac,
            "subnet": subnet["id"],
            "comment": call.values.get("comment", ""),
        }
        state["reservedips"].append(record)
    call.maas.dhcp.follow(call.maas.store)
    return views.reserved_ip(call.maas.store.snapshot(), record)


def _given(call: Call) -> tuple[IPv4Address, str]:
    errors: dict[str, list[str]] = {}
    ip, mac = call.values.get("ip", ""), call.values.get("mac_address", "").lower()
    address = read_address(ip)
    if not ip:
        errors["ip"] = ["This field is required."]
    elif address is None:
        errors["ip"] = ["Enter a valid IPv4 or IPv6 address."]
    if not mac:
        errors["mac_address"] = ["This field cannot be blank."]
    elif not MAC.fullmatch(mac):
        errors["mac_address"] = [f"'{mac}' is not a valid MAC address."]
    if errors or address is None:
        raise Invalid(errors)
    return address, mac


def _subnet(state: State, call: Call, address: IPv4Address) -> Record:
    given = call.values.get("subnet", "")
    found = subnet_of(state, address)
    if given.isdigit() and by_id(state, "subnets", int(given)) is None:
        words = "Select a valid choice. That choice is not one of the available choices."
        raise invalid("subnet", words)
    if found is None:
        words = f"There is no subnet for {address}. Create the subnet and try again."
        raise invalid("subnet", words)
    if given.isdigit() and int(given) != found["id"]:
        raise invalid("ip", "The provided IP is not part of the subnet.")
    return found


def _require_free(state: State, subnet: Record, address: IPv4Address, mac: str) -> None:
    """Raise ``Refused`` for an address or MAC that is taken.

    An address with no interface behind it is no other machine's: with a user's reservation
    of the address alone, as DNS records make it, a reserved IP goes together.
    """
    ip = str(address)
    if find(state, "reservedips", ip=ip) is not None:
        raise invalid("ip", "Reserved IP with this IP address already exists.")
    if find(state, "reservedips", mac_address=mac, subnet=subnet["id"]) is not None:
        words = "Reserved IP with this MAC address and Subnet already exists."
        raise invalid("__all__", words)
    dynamic = dynamic_range(state, subnet, address)
    if dynamic is not None:
        span = f"{dynamic.first} - {dynamic.last}"
        raise invalid("ip", f"The reserved IP {ip} must be outside the dynamic range {span}.")
    held = holder_of(state, ip)
    cards = cards_of(state, held) if held is not None else []
    if any(card["mac_address"] != mac for card in cards):
        raise invalid("ip", f"The ip {ip} is already in use by another machine.")


def _update(call: Call) -> Any:
    with call.maas.store.changing() as state:
        record = _called(state, call)
        for name in ("ip", "mac_address", "subnet"):
            if name in call.values and call.values[name] != str(record[name]):
                raise invalid("__all__", IMMUTABLE)
        record["comment"] = call.values.get("comment", record["comment"])
    return views.reserved_ip(call.maas.store.snapshot(), record)


def _delete(call: Call) -> Any:
    with call.maas.store.changing() as state:
        state["reservedips"].remove(_called(state, call))
    call.maas.dhcp.follow(call.maas.store)
    return DELETED


ENDPOINTS = (
    Endpoint("GET", "reservedips/", _list),
    Endpoint("POST", "reservedips/", _create, admin=True),
    Endpoint("GET", "reservedips/{id}/", _read),
    Endpoint("PUT", "reservedips/{id}/", _update, admin=True),
    Endpoint("DELETE", "reservedips/{id}/", _delete, admin=True),
)
