"""What MAAS' answers mean: small answers of our own, and anything at all in their place."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blackstart.drivers import maas_addresses as addresses
from blackstart.drivers import maas_answers as answers
from blackstart.errors import Rejected
from blackstart.model.maas_facts import DynamicRange, Reservation

VLAN = {"id": 5001, "dhcp_on": True, "primary_rack": "aaaaaa", "secondary_rack": "bbbbbb"}
SUBNET = {
    "id": 5,
    "name": "lan",
    "cidr": "192.0.2.0/24",
    "managed": True,
    "vlan": VLAN,
    "gateway_ip": "192.0.2.1",
    "dns_servers": ["192.0.2.53"],
}
HELD = {
    "ip": "192.0.2.30",
    "alloc_type": 1,
    "subnet": SUBNET,
    "interface_set": [{"mac_address": "BC:24:11:00:00:1E"}, {"mac_address": "bc:24:11:00:00:1f"}],
}
LINK = {"mode": "static", "ip_address": "192.0.2.30", "subnet": SUBNET}
NODE = {
    "system_id": "cccccc",
    "hostname": "box",
    "fqdn": "box.lan.test",
    "interface_set": [{"name": "eth0", "mac_address": "bc:24:11:00:00:1e", "links": [LINK]}],
}
RACK = {
    "system_id": "aaaaaa",
    "hostname": "maas",
    "service_set": [{"name": "dhcpd", "status": "dead", "status_info": "it is not running"}],
}
IMAGE = {
    "id": 2,
    "name": "ubuntu/noble",
    "architecture": "amd64/ga-24.04",
    "sets": {
        "20260901": {"size": 10, "complete": True},
        "20261001": {"size": 12, "complete": False},
    },
}
EVENT = {
    "id": 7,
    "created": "Fri, 20 Nov. 2026 14:09:07",
    "level": "DEBUG",
    "type": "Region import info",
    "hostname": "maas",
    "description": "Started importing",
    "username": "somebody",
}
DNS = {
    "id": 9,
    "fqdn": "web.lan.test",
    "ip_addresses": [{"ip": "192.0.2.60"}, {"ip": "2001:db8::60"}, {"ip": None}],
    "resource_records": [{"rrtype": "TXT", "rrdata": "hello"}],
}
RANGE = {"start": "192.0.2.100", "end": "192.0.2.150", "purpose": ["dynamic"]}

READERS: dict[str, tuple[Callable[[Any], Any], Any]] = {
    "version": (answers.version, {"version": "3.6.1"}),
    "administrator": (answers.administrator, {"is_superuser": True}),
    "boolean": (answers.boolean, True),
    "reserved_ips": (
        lambda answer: addresses.reserved_ips(answer, "here"),
        [{"ip": "192.0.2.31", "mac_address": "bc:24:11:00:00:20", "subnet": SUBNET}],
    ),
    "ip_addresses": (lambda answer: addresses.ip_addresses(answer, "here"), [HELD]),
    "machines": (addresses.machines, [NODE]),
    "devices": (addresses.devices, [NODE]),
    "subnets": (addresses.subnets, [SUBNET]),
    "dynamic_ranges": (lambda answer: addresses.dynamic_ranges(5, answer), [RANGE]),
    "dns_records": (addresses.dns_records, [DNS]),
    "rack_controllers": (answers.rack_controllers, [RACK]),
    "image_ids": (answers.image_ids, [IMAGE]),
    "image": (answers.image, IMAGE),
    "events": (answers.events, {"events": [EVENT]}),
}
JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=5,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a document, itself included."""
    yield path
    if isinstance(value, dict | list):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places(item, (*path, key))


def put(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    """A copy with something else at a place."""
    if not path:
        return new
    changed = copy.deepcopy(value)
    inner = changed
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = new
    return changed


@pytest.mark.parametrize("name", READERS)
def test_each_reader_reads(name: str) -> None:
    read, answer = READERS[name]
    assert read(answer) not in (None, ())


@pytest.mark.parametrize("name", READERS)
@given(data=st.data())
def test_anything_in_any_place_is_read_or_rejected(name: str, data: st.DataObject) -> None:
    read, answer = READERS[name]
    path = data.draw(st.sampled_from(sorted(places(answer), key=str)))
    with suppress(Rejected):
        read(put(answer, path, data.draw(JUNK)))


def test_a_list_in_place_of_an_image_s_versions_is_rejected() -> None:
    """Found by the test above, once in many runs: ``True`` is the second place of a list."""
    with pytest.raises(Rejected, match=r"not understood \(image\): list index out of range"):
        answers.image({**IMAGE, "sets": [True]})


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("version", "version"),
        ("administrator", "is_superuser"),
        ("reserved_ips", "mac_address"),
        ("ip_addresses", "interface_set"),
        ("machines", "fqdn"),
        ("subnets", "vlan"),
        ("dynamic_ranges", "purpose"),
        ("dns_records", "resource_records"),
        ("rack_controllers", "service_set"),
        ("image", "sets"),
        ("events", "events"),
    ],
)
def test_a_missing_field_is_named(name: str, field: str) -> None:
    read, answer = READERS[name]
    listed = isinstance(answer, list)
    holder = answer[0] if listed else answer
    less = {key: value for key, value in holder.items() if key != field}
    with pytest.raises(Rejected, match=f"it lacks '{field}'"):
        read([less] if listed else less)


def test_a_number_is_no_address() -> None:
    with pytest.raises(Rejected, match="expected an address, got int"):
        addresses.ip_addresses([{**HELD, "ip": 3221225994}], "here")


def test_a_reservation_for_each_interface_and_in_one_spelling() -> None:
    found = addresses.ip_addresses([HELD], "here")
    assert [(held.kind, held.mac, held.subnet) for held in found] == [
        ("static-link", "bc:24:11:00:00:1e", 5),
        ("static-link", "bc:24:11:00:00:1f", 5),
    ]
    named = addresses.named(found, addresses.devices([NODE]))
    assert [held.hostname for held in named] == ["box", None]


@pytest.mark.parametrize(
    ("number", "kinds"), [(0, ["auto-link"]), (4, ["ipaddress"]), (5, []), (6, [])]
)
def test_what_a_lease_showed_is_no_reservation(number: int, kinds: list[str]) -> None:
    entry = {**HELD, "alloc_type": number, "interface_set": []}
    assert [held.kind for held in addresses.ip_addresses([entry], "here")] == kinds


@pytest.mark.parametrize("number", [0, 1])
def test_a_link_that_has_no_address_yet_reserves_none(number: int) -> None:
    """A card that is only up, and an automatic one while its machine is released."""
    without = {**HELD, "alloc_type": number, "ip": None, "subnet": None}
    assert [held.ip for held in addresses.ip_addresses([without, HELD], "here")] == [HELD["ip"]] * 2


def test_a_kind_nobody_knows_is_rejected() -> None:
    with pytest.raises(Rejected, match=r"alloc_type 9 of 192\.0\.2\.30"):
        addresses.ip_addresses([{**HELD, "alloc_type": 9}], "here")


def test_only_an_address_with_an_interface_is_given_out_by_dhcp() -> None:
    held = Reservation(
        ip="192.0.2.30", kind="ipaddress", mac=None, hostname=None, subnet=5, source="here"
    )
    assert not held.fixes
    assert held.model_copy(update={"mac": "bc:24:11:00:00:1e"}).fixes


def test_a_dynamic_range_that_maas_cuts_is_whole_again() -> None:
    pieces = [
        {"start": "192.0.2.111", "end": "192.0.2.150", "purpose": ["dynamic"]},
        {"start": "192.0.2.100", "end": "192.0.2.109", "purpose": ["dynamic"]},
        {"start": "192.0.2.110", "end": "192.0.2.110", "purpose": ["assigned-ip", "dynamic"]},
        {"start": "192.0.2.151", "end": "192.0.2.160", "purpose": ["reserved"]},
        {"start": "192.0.2.200", "end": "192.0.2.210", "purpose": ["dynamic"]},
    ]
    assert addresses.dynamic_ranges(5, pieces) == (
        DynamicRange(subnet=5, first="192.0.2.100", last="192.0.2.150"),
        DynamicRange(subnet=5, first="192.0.2.200", last="192.0.2.210"),
    )


def test_two_racks_are_two_dhcp_servers() -> None:
    (both,) = addresses.subnets([SUBNET])
    (one,) = addresses.subnets([{**SUBNET, "vlan": {**VLAN, "secondary_rack": None}}])
    assert (both.racks, one.racks) == (("aaaaaa", "bbbbbb"), ("aaaaaa",))


def test_a_subnet_without_name_servers_of_its_own() -> None:
    (found,) = addresses.subnets([{**SUBNET, "dns_servers": None, "gateway_ip": None}])
    assert (found.dns_servers, found.gateway) == ((), None)


def test_no_subnet_at_all_is_no_answer() -> None:
    with pytest.raises(Rejected, match="the list of subnets is empty"):
        addresses.subnets([])


def test_a_persons_dns_record_is_told_from_an_implicit_one_and_counted_once() -> None:
    implicit = {
        "id": -1,
        "fqdn": "web.lan.test",
        "ip_addresses": None,
        "resource_records": [
            {"rrtype": "A", "rrdata": "192.0.2.60", "system_id": None, "dnsresource_id": 9},
            {"rrtype": "A", "rrdata": "192.0.2.30", "system_id": "cccccc", "dnsresource_id": None},
        ],
    }
    found = {
        (r.rrtype, r.value): (r.node, r.resource) for r in addresses.dns_records([implicit, DNS])
    }
    assert found == {
        ("A", "192.0.2.60"): (None, 9),
        ("A", "192.0.2.30"): ("cccccc", None),
        ("TXT", "hello"): (None, 9),
        ("AAAA", "2001:db8::60"): (None, 9),
    }


def test_an_image_is_as_complete_as_its_newest_version() -> None:
    seen = answers.image(IMAGE)
    assert (seen.version, seen.complete, seen.size) == ("20261001", False, 12)
    none = answers.image({**IMAGE, "sets": {}})
    assert (none.version, none.complete) == (None, False)


def test_an_event_does_not_say_who() -> None:
    (event,) = answers.events({"events": [EVENT]})
    assert "somebody" not in repr(event)
