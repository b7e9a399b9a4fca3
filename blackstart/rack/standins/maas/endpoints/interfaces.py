"""``nodes/…/interfaces/``: interfaces, and the links that give them addresses."""

from __future__ import annotations

import time
from http import HTTPStatus
from typing import Any

from .. import views
from ..addresses import (
    AUTO,
    STATIC,
    add_address,
    drop_address,
    dynamic_range,
    holder_of,
    next_free,
    read_address,
)
from ..errors import Refused, invalid, missing
from ..routing import Call, Endpoint
from ..store import Record, State, by_id, find, select
from .nodes import may_see

NOT_NOW = "Cannot {} subnet interface because the machine is not New, Ready, Allocated, or Broken."
LINKABLE = ("New", "Ready", "Allocated", "Broken")


def _node(state: State, call: Call) -> Record | None:
    node = find(state, "nodes", system_id=call.in_path["system_id"])
    return node if node is not None and may_see(node, call.user) else None


def _called(state: State, call: Call) -> Record:
    """The interface in the path. Raises ``Refused`` for none that the user may see."""
    node = _node(state, call)
    card = by_id(state, "interfaces", call.number("id"))
    if node is None or card is None or card["node"] != node["system_id"]:
        raise missing("Interface")
    return card


def _list(call: Call) -> Any:
    state = call.maas.store.snapshot()
    node = _node(state, call)
    if node is None:
        raise missing("Node")
    cards = select(state, "interfaces", node=node["system_id"])
    return [views.interface(state, card) for card in cards]


def _read(call: Call) -> Any:
    state = call.maas.store.snapshot()
    return views.interface(state, _called(state, call))


def _require_changeable(state: State, card: Record, verb: str) -> None:
    node = find(state, "nodes", system_id=card["node"])
    status = node["attributes"].get("status_name") if node else None
    if status is not None and status not in LINKABLE:
        raise Refused(HTTPStatus.CONFLICT, NOT_NOW.format(verb))


def _link(call: Call) -> Any:
    with call.maas.store.changing() as state:
        card = _called(state, call)
        _require_changeable(state, card, "link")
        given = call.values.get("subnet", "")
        subnet = by_id(state, "subnets", int(given)) if given.isdigit() else None
        mode = call.values.get("mode", "").upper()
        if mode not in ("STATIC", "AUTO"):
            raise invalid("mode", "Select a valid choice. STATIC and AUTO are implemented here.")
        if subnet is None:
            raise invalid("subnet", "This field is required.")
        fields = {"ip": _static_ip(state, call, subnet)} if mode == "STATIC" else {}
        for held in select(state, "addresses", interface=card["id"], subnet=None):
            drop_address(state, held)
        add_address(
            state,
            time.time(),
            alloc_type=STATIC if mode == "STATIC" else AUTO,
            subnet=subnet["id"],
            interface=card["id"],
            **fields,
        )
        card["vlan"] = subnet["vlan"]
    return _changed(call, card)


def _static_ip(state: State, call: Call, subnet: Record) -> str:
    text = call.values.get("ip_address", "")
    address = read_address(text) if text else next_free(state, subnet)
    if address is None:
        raise invalid("ip_address", "Enter a valid IPv4 or IPv6 address.")
    dynamic = dynamic_range(state, subnet, address)
    if dynamic is not None:
        span = f"{dynamic.first} to {dynamic.last}"
        raise invalid("ip_address", f"IP address is inside a dynamic range {span}.")
    if holder_of(state, str(address)) is not None:
        raise Refused(HTTPStatus.NOT_FOUND, "IP address is already in use.")
    return str(address)


def _unlink(call: Call) -> Any:
    with call.maas.store.changing() as state:
        card = _called(state, call)
        _require_changeable(state, card, "unlink")
        links = select(state, "addresses", interface=card["id"])
        given = call.values.get("id", "")
        held = next((each for each in links if str(each["id"]) == given), None)
        if held is None:
            known = ", ".join(f"'{each['id']}'" for each in links)
            words = f"'{given}' is not a valid id.  It should be one of: {known}."
            raise invalid("id", words)
        drop_address(state, held)
        if len(links) == 1:
            # An interface without a link is only switched on.
            add_address(state, time.time(), alloc_type=STATIC, interface=card["id"])
    return _changed(call, card)


def _changed(call: Call, card: Record) -> Any:
    call.maas.dhcp.follow(call.maas.store)
    return views.interface(call.maas.store.snapshot(), card)


_CARD = "nodes/{system_id}/interfaces/{id}/"
ENDPOINTS = (
    Endpoint("GET", "nodes/{system_id}/interfaces/", _list),
    Endpoint("GET", _CARD, _read),
    Endpoint("POST", _CARD, _link, "link_subnet"),
    Endpoint("POST", _CARD, _unlink, "unlink_subnet"),
)
