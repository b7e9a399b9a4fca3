"""The MAAS that the exchanges were recorded of, as a state of the stand-in.

What the recording did to it by calls that the stand-in does not have is done to the state at
the same place (``BETWEEN``): that the answers around it are right is still the stand-in's work.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from blackstart.rack.standins.maas.store import Record, State
from tests.contract.maas_recorded import exchanges, recorded

CONSUMER, TOKEN = "c1aaaaaaaaaaaaaaaa", "t1bbbbbbbbbbbbbbbb"
SECRET = "8a121a8c048709c3f03c129aa6357f33"
OTHERS = {"consumer": "c2", "token": "t2", "secret": "s2"}
COMPUTED = (
    *("interface_set", "domain", "zone", "fqdn", "hostname", "system_id", "ip_addresses"),
    *("resource_uri", "service_set", "owner", "boot_interface"),
)
TABLES = (
    *("fabrics", "vlans", "subnets", "ipranges", "domains", "nodes", "interfaces"),
    *("addresses", "reservedips", "dnsresources", "events", "boot_resources", "users"),
)


def first_state() -> State:
    """Before the first exchange: an administrator, a rack controller, a VLAN, an image."""
    state: State = {table: [] for table in TABLES}
    state["next_id"] = {}
    state["config"] = {"maas_name": "dr-lab", "boot_images_auto_import": False}
    key = {"consumer": CONSUMER, "token": TOKEN, "secret": SECRET}
    state["users"] = [
        {**_user("admin", True), "id": 2, "keys": [key]},
        {**_user("bob", False), "id": 3, "keys": [OTHERS]},
    ]
    state["domains"] = [{"id": 0, "name": "maas", "is_default": True}]
    state["fabrics"] = [{"id": 1, "name": "dr-fabric"}]
    state["vlans"] = [
        {
            "id": 5001,
            "vid": 0,
            "name": "untagged",
            "fabric": 1,
            "dhcp_on": False,
            "primary_rack": "bw344m",
            "secondary_rack": None,
        }
    ]
    state["dhcp"] = {
        "server": "198.51.100.3",
        "lease_s": 600,
        "omapi_port": 7911,
        "omapi_secret": "c2VjcmV0",
    }
    _add_node(state, recorded("rackcontrollers").body[0], "rack-controller")
    state["boot_resources"] = [_image(recorded("boot read").body)]
    return state


def _user(name: str, administrator: bool) -> Record:
    return {"username": name, "email": f"{name}@example.com", "is_superuser": administrator}


def _image(shown: Record) -> Record:
    sets = {
        version: {
            "label": held["label"],
            "files": {name: {**file, "on_disk": name} for name, file in held["files"].items()},
        }
        for version, held in shown["sets"].items()
    }
    names = ("id", "name", "architecture", "subarches")
    return {**{name: shown[name] for name in names}, "sets": sets}


def _add_node(state: State, shown: Record, kind: str) -> None:
    """A node and its interfaces, as the API showed them."""
    attributes = {name: value for name, value in shown.items() if name not in COMPUTED}
    state["nodes"].append(
        {
            "system_id": shown["system_id"],
            "kind": kind,
            "hostname": shown["hostname"],
            "domain": 0,
            "owner": shown.get("owner"),
            "attributes": attributes,
        }
    )
    own = {"id", "name", "mac_address", "type", "vlan", "links", "system_id", "resource_uri"}
    for card in shown["interface_set"]:
        state["interfaces"].append(
            {
                "id": card["id"],
                "node": shown["system_id"],
                "name": card["name"],
                "mac_address": card["mac_address"],
                "type": card["type"],
                "vlan": card["vlan"]["id"] if card["vlan"] else None,
                "attributes": {key: value for key, value in card.items() if key not in own},
            }
        )


def _deploy_a_machine(state: State) -> None:
    _add_node(state, recorded("machines list").body[0], "machine")


def _create_a_machine(state: State) -> None:
    _add_node(state, _first("machine create").body, "machine")


def _first(title: str) -> Any:
    return next(found for found in exchanges() if found.title == title)


def _enable_dhcp(state: State) -> None:
    state["vlans"][0]["dhcp_on"] = True


def _events_of(title: str) -> Callable[[State], None]:
    """The event log as an exchange showed it, which others than the stand-in filled."""

    def fill(state: State) -> None:
        shown = recorded(title).body["events"]
        state["events"] = [{**event, "created": _moment(event)} for event in reversed(shown)]

    return fill


def _moment(event: Record) -> float:
    when = datetime.strptime(event["created"], "%a, %d %b. %Y %H:%M:%S")
    return when.replace(tzinfo=UTC).timestamp()


BETWEEN: dict[str, Callable[[State], None]] = {
    "machines list": _deploy_a_machine,
    "events": _events_of("events"),
    "fabric/vlan read": _enable_dhcp,
    "ip reserve with mac+hostname": _create_a_machine,
    "events import": _events_of("events import"),
}
"""What happened before the first exchange of a title, by other calls than the stand-in has."""
CLEARED_BEFORE = 133
"""The number of the exchange before which all reserved IPs had been deleted."""


def catch_up(state: State, number: int, done: set[str]) -> None:
    """Have the state be as it was before the exchange of that number."""
    title = exchanges()[number].title
    if title in BETWEEN and title not in done:
        done.add(title)
        BETWEEN[title](state)
    if number == CLEARED_BEFORE:
        state["reservedips"] = []
