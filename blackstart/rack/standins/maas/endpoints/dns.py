"""``dnsresources/``: names that people made, and with ``all`` those that nodes have."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from .. import API_ROOT, views
from ..addresses import USER_RESERVED, add_address, holder_of, read_address, subnet_of
from ..errors import invalid, missing
from ..names import add_name, split_name
from ..nodeviews import addresses_of, domain, fqdn
from ..oauth import User
from ..routing import DELETED, Call, Endpoint
from ..store import Record, State, by_id, find, take_id
from .nodes import may_see


def _list(call: Call) -> Any:
    state = call.maas.store.snapshot()
    own = [each for each in state["dnsresources"] if _may_see(state, each, call.user)]
    shown = [_resource(state, each) for each in own]
    if call.values.get("all", "").lower() in ("true", "1", "on"):
        shown = [*_implicit(state, own, call.user), *shown]
    return shown


def _may_see(state: State, resource: Record, user: User) -> bool:
    """Of others than administrators: what has no address of somebody else's."""
    held = [by_id(state, "addresses", number) for number in resource["addresses"]]
    return user.is_superuser or all(each and each["user"] == user.id for each in held)


def _name(state: State, resource: Record) -> str:
    return f"{resource['name']}.{domain(state, resource['domain'])['name']}"


def _resource(state: State, resource: Record) -> dict[str, Any]:
    held = (by_id(state, "addresses", number) for number in resource["addresses"])
    return {
        "address_ttl": None,
        "fqdn": _name(state, resource),
        "id": resource["id"],
        "ip_addresses": [views.ip_address(state, each) for each in held if each],
        "resource_records": [_record(state, resource, each) for each in resource["records"]],
        "resource_uri": f"{API_ROOT}dnsresources/{resource['id']}/",
    }


def _record(state: State, resource: Record, record: Record) -> dict[str, Any]:
    return {
        "ttl": None,
        "rrtype": record["rrtype"],
        "rrdata": record["rrdata"],
        "fqdn": _name(state, resource),
        "id": record["id"],
        "resource_uri": f"{API_ROOT}dnsresourcerecords/{record['id']}/",
    }


def _implicit(state: State, resources: list[Record], user: User) -> Iterator[dict[str, Any]]:
    """What is served, a set of records a name; these have no id of their own."""
    for resource in resources:
        held = [by_id(state, "addresses", number) for number in resource["addresses"]]
        own = {"dnsresource_id": resource["id"]}
        lines = [_line("A", each["ip"], user_id=each["user"], **own) for each in held if each]
        lines += [
            _line(each["rrtype"], each["rrdata"], dnsdata_id=each["id"], **own)
            for each in resource["records"]
        ]
        yield _set(_name(state, resource), lines)
    for node in state["nodes"]:
        linked = addresses_of(state, node)
        if linked and may_see(node, user):
            whose = {"system_id": node["system_id"], "node_type": node["attributes"]["node_type"]}
            yield _set(fqdn(state, node), [_line("A", each["ip"], **whose) for each in linked])


def _set(name: str, lines: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "address_ttl": None,
        "fqdn": name,
        "id": -1,
        "ip_addresses": None,
        "resource_records": lines,
        "resource_uri": f"{API_ROOT}dnsresources/-1/",
    }


def _line(rrtype: str, rrdata: str, **known: Any) -> dict[str, Any]:
    """One record; of whose it is only what is ``known`` is not empty."""
    nobody = dict.fromkeys(("system_id", "node_type", "user_id", "dnsresource_id", "dnsdata_id"))
    return {**nobody, "ttl": None, "rrtype": rrtype, "rrdata": rrdata, **known}


def _given_name(state: State, call: Call) -> tuple[str, Record]:
    """Name and domain that are meant. Raises ``Refused`` for a domain that is not ours."""
    if "fqdn" in call.values:
        found = split_name(state, call.values["fqdn"])
    else:
        owner = find(state, "domains", name=call.values.get("domain", ""))
        found = (call.values.get("name", ""), owner) if owner is not None else None
    if found is None:
        raise missing("Domain")
    return found


def _create(call: Call) -> Any:
    with call.maas.store.changing() as state:
        name, owner = _given_name(state, call)
        if find(state, "dnsresources", name=name, domain=owner["id"]) is not None:
            raise invalid("__all__", "Labels must be unique within their zone.")
        texts = call.values.get("ip_addresses", "").replace(",", " ").split()
        held = [_address(state, call, text) for text in texts]
        resource = add_name(state, name, owner, addresses=held)
    return _resource(call.maas.store.snapshot(), resource)


def _address(state: State, call: Call, text: str) -> int:
    """The id of an address, which is the user's from now on when it was nobody's."""
    address = read_address(text)
    if address is None:
        raise invalid("ip_addresses", f"'{text}' is not a valid IP address.")
    held = holder_of(state, str(address))
    if held is None:
        subnet = subnet_of(state, address)
        held = add_address(
            state,
            time.time(),
            ip=str(address),
            alloc_type=USER_RESERVED,
            subnet=subnet["id"] if subnet else None,
            user=call.user.id,
        )
    return int(held["id"])


def _create_record(call: Call) -> Any:
    with call.maas.store.changing() as state:
        name, owner = _given_name(state, call)
        record = {
            "id": take_id(state, "dnsdata"),
            "rrtype": call.values.get("rrtype", "").upper(),
            "rrdata": call.values.get("rrdata", ""),
        }
        resource = add_name(state, name, owner, records=[record])
    return _record(call.maas.store.snapshot(), resource, record)


def _called(state: State, call: Call) -> Record:
    resource = by_id(state, "dnsresources", call.number("id"))
    if resource is None or not _may_see(state, resource, call.user):
        raise missing("DNSResource")
    return resource


def _read(call: Call) -> Any:
    state = call.maas.store.snapshot()
    return _resource(state, _called(state, call))


def _delete(call: Call) -> Any:
    with call.maas.store.changing() as state:
        state["dnsresources"].remove(_called(state, call))
    return DELETED


ENDPOINTS = (
    Endpoint("GET", "dnsresources/", _list),
    Endpoint("POST", "dnsresources/", _create),
    Endpoint("GET", "dnsresources/{id}/", _read),
    Endpoint("DELETE", "dnsresources/{id}/", _delete),
    Endpoint("POST", "dnsresourcerecords/", _create_record),
)
