"""Machines, devices, and rack controllers with their services."""

from __future__ import annotations

import secrets
import string
from http import HTTPStatus
from typing import Any

from ..addresses import drop_address
from ..errors import Invalid, Refused, invalid, missing
from ..names import default_domain
from ..nodeviews import DEVICE, KINDS, node_view, service_set
from ..oauth import User
from ..routing import DELETED, Call, Endpoint, Handler
from ..store import Record, State, find, select, take_id
from .reservedips import MAC

ID_LENGTH = 6
NO_BMC = "No BMC is defined.  Cannot power control node."


def may_see(node: Record, user: User) -> bool:
    """Whether MAAS shows a node to a user: it does not refuse, it leaves out."""
    return user.is_superuser or (node["owner"] == user.username and node["owner"] is not None)


def called_node(state: State, call: Call, kind: str) -> Record:
    """The node in the path. Raises ``Refused`` when there is none that the user may see."""
    node = find(state, "nodes", system_id=call.in_path["system_id"], kind=kind)
    if node is None or not may_see(node, call.user):
        raise missing(KINDS[kind])
    return node


def _lists(kind: str) -> Handler:
    def answer(call: Call) -> Any:
        state = call.maas.store.snapshot()
        nodes = [each for each in select(state, "nodes", kind=kind) if may_see(each, call.user)]
        shown = [_shown(call, state, each) for each in nodes]
        return [each for each in shown if _asked_for(each, call)]

    return answer


def _shown(call: Call, state: State, node: Record) -> dict[str, Any]:
    shown = node_view(state, node)
    if node["kind"] == "rack-controller":
        shown["service_set"] = service_set(call.maas.units)
    return shown


def _asked_for(shown: dict[str, Any], call: Call) -> bool:
    given = call.values
    macs = {card["mac_address"] for card in shown["interface_set"]}
    return (
        given.get("hostname") in (None, shown["hostname"])
        and given.get("id") in (None, shown["system_id"])
        and ("mac_address" not in given or given["mac_address"].lower() in macs)
    )


def _reads(kind: str) -> Handler:
    def answer(call: Call) -> Any:
        state = call.maas.store.snapshot()
        return _shown(call, state, called_node(state, call, kind))

    return answer


def _deletes(kind: str) -> Handler:
    def answer(call: Call) -> Any:
        with call.maas.store.changing() as state:
            node = called_node(state, call, kind)
            for card in select(state, "interfaces", node=node["system_id"]):
                for held in select(state, "addresses", interface=card["id"]):
                    drop_address(state, held)
                state["interfaces"].remove(card)
            state["nodes"].remove(node)
        call.maas.dhcp.follow(call.maas.store)
        return DELETED

    return answer


def _create_device(call: Call) -> Any:
    with call.maas.store.changing() as state:
        hostname = call.values.get("hostname", "")
        macs = [mac.lower() for mac in call.values.get("mac_addresses", "").split(",") if mac]
        _require_new(state, hostname, macs)
        node: Record = {
            "system_id": _system_id(state),
            "kind": "device",
            "hostname": hostname or f"device-{len(state['nodes'])}",
            "domain": default_domain(state)["id"],
            "owner": call.user.username,
            "attributes": dict(DEVICE),
        }
        state["nodes"].append(node)
        for number, mac in enumerate(macs):
            card = {
                "id": take_id(state, "interfaces"),
                "node": node["system_id"],
                "name": f"eth{number}",
                "mac_address": mac,
                "type": "physical",
                "vlan": None,
                "attributes": {},
            }
            state["interfaces"].append(card)
    return node_view(call.maas.store.snapshot(), node)


def _require_new(state: State, hostname: str, macs: list[str]) -> None:
    """Raise ``Refused`` for a name or MAC that is wrong or somebody else's."""
    if not macs:
        raise invalid("mac_addresses", "This field is required.")
    errors: dict[str, list[str]] = {}
    for mac in macs:
        card = find(state, "interfaces", mac_address=mac, type="physical")
        owner = find(state, "nodes", system_id=card["node"]) if card else None
        if not MAC.fullmatch(mac):
            errors["mac_addresses"] = [f"'{mac}' is not a valid MAC address."]
        elif owner is not None:
            errors["mac_addresses"] = [f"MAC address {mac} already in use on {owner['hostname']}."]
    if hostname and find(state, "nodes", hostname=hostname) is not None:
        errors["hostname"] = ["Node with this Hostname already exists."]
    if errors:
        raise Invalid(errors)


def _system_id(state: State) -> str:
    while True:
        letters = string.ascii_lowercase + string.digits
        made = "".join(secrets.choice(letters) for _ in range(ID_LENGTH))
        if find(state, "nodes", system_id=made) is None:
            return made


def _power_state(call: Call) -> Any:
    called_node(call.maas.store.snapshot(), call, "rack-controller")
    raise Refused(HTTPStatus.SERVICE_UNAVAILABLE, NO_BMC)


ENDPOINTS = (
    Endpoint("GET", "machines/", _lists("machine"), for_anonymous=True),
    Endpoint("GET", "machines/{system_id}/", _reads("machine")),
    Endpoint("DELETE", "machines/{system_id}/", _deletes("machine"), admin=True),
    Endpoint("GET", "devices/", _lists("device")),
    Endpoint("POST", "devices/", _create_device),
    Endpoint("GET", "devices/{system_id}/", _reads("device")),
    Endpoint("DELETE", "devices/{system_id}/", _deletes("device")),
    Endpoint("GET", "rackcontrollers/", _lists("rack-controller"), for_anonymous=True),
    Endpoint("GET", "rackcontrollers/{system_id}/", _reads("rack-controller")),
    Endpoint("GET", "rackcontrollers/{system_id}/", _power_state, "query_power_state", admin=True),
)
