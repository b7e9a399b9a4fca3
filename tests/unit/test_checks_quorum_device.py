"""A quorum device is outside of the cluster, whatever name it is given by."""

from __future__ import annotations

from typing import Any

import pytest

from blackstart.collect.tables import read_hosts
from blackstart.model.facts import SiteFacts, unread
from blackstart.model.host_boot import HostBootFacts
from blackstart.model.proxmox_facts import ProxmoxFacts

from .calling import call, checks_in
from .host_boots import well
from .invariants.site import seen
from .proxmox_cases import Given, assert_red, assert_unproven, site
from .proxmox_site import document, facts, inventory, plan, row
from .test_checks_cluster import device_at

FILES = ("test_cluster",)
CHECK = "quorum_device_is_no_guest"


def tables(**lines: str) -> dict[str, HostBootFacts]:
    """What these hosts say of their next boot, with one line each in their host table."""
    return {
        host: well().model_copy(
            update={"hosts_file": seen(read_hosts(((1, line),)), f"ssh {host}: /etc/hosts")}
        )
        for host, line in lines.items()
    }


def named(name: str, *addresses: str) -> dict[str, Any]:
    """Name servers, and a name that they must know."""
    return {**document()["dns"], "names": {name: {"addresses": addresses}}}


def answering(question: str, *addresses: str) -> SiteFacts:
    """The snapshot, in which a name server answered this."""
    snapshot = facts()
    names = {**snapshot.names, question: seen(addresses, "dns ns")}
    return snapshot.model_copy(update={"names": names})


def undeclared(address: str, well: ProxmoxFacts) -> ProxmoxFacts:
    """The cluster, with a container that the inventory does not know."""
    config = {"net0": f"name=eth0,hwaddr=BC:24:11:00:00:99,ip={address}/24,bridge=vmbr0"}
    rows = (*(well.guests.value or ()), row(950, "a1", kind="lxc"))
    return well.model_copy(
        update={
            "guests": seen(rows, "api resources"),
            "plans": {**well.plans, "lxc/950": plan(config)},
        }
    )


def second_link(address: str) -> ProxmoxFacts:
    """The cluster with a second network, on which its device is a node's."""
    well = device_at(address)
    votes = well.votes.value
    assert votes is not None
    links = {"a2": ("192.0.2.12", address)}
    return well.model_copy(
        update={"votes": seen(votes.model_copy(update={"links": links}), "api votes")}
    )


INSIDE: list[tuple[Given, str]] = [
    (
        site(device_at("qnet"), host_boots=tables(a2="192.0.2.61\tqnet.lab.test  qnet")),
        r"on qnet, which is box \(api votes; ssh a2: /etc/hosts:1: 192.0.2.61\)",
    ),
    (
        site(device_at("QNET.lab.test."), host_boots=tables(a1="::ffff:192.0.2.61 qnet # third")),
        "which is box",
    ),
    (
        site(device_at("qnet"), host_boots=tables(a2="127.0.0.1 localhost qnet")),
        "which is a1, a2",
    ),
    (
        site(device_at("qnet"), inventory=inventory(dns=named("qnet.lab.test", "192.0.2.62"))),
        "which is far .*inventory: dns.names.qnet.lab.test",
    ),
    (
        site(device_at("qnet"), facts=answering("ns/qnet.lab.test", "192.0.2.61")),
        "which is box .*dns ns",
    ),
    (site(device_at("a2")), "which is a2"),
    (site(second_link("2001:db8::12")), "on 2001:db8::12, which is a2"),
    (
        site(undeclared("198.51.100.9", device_at("198.51.100.9"))),
        "which is lxc/950",
    ),
]


@pytest.mark.parametrize(("given", "told"), INSIDE, ids=[told for _, told in INSIDE])
def test_inside_of_the_cluster(given: Given, told: str) -> None:
    assert_red(FILES, CHECK, given, told)


@pytest.mark.parametrize("host", ["nas", "nas.lab.test", "192.0.2.20", "203.0.113.5", "qnet"])
def test_a_quorum_device_outside_of_the_cluster(host: str) -> None:
    given = site(device_at(host), host_boots=tables(a1="203.0.113.5 qnet"))
    call(checks_in(*FILES)[CHECK], given)


@pytest.mark.parametrize(
    ("boots", "told"),
    [
        (tables(a1="203.0.113.5 other"), "which machine qnet is, .* nor /etc/hosts of a1$"),
        ({"a1": unread(HostBootFacts, "ssh a1", "no route")}, "none was read"),
        (tables(nas="192.0.2.20 qnet"), "none was read"),
    ],
    ids=["no line", "not read", "of another machine"],
)
def test_a_quorum_device_of_whose_name_nobody_knows(
    boots: dict[str, HostBootFacts], told: str
) -> None:
    given = site(device_at("qnet"), host_boots=boots)
    assert_unproven(FILES, CHECK, given, told)
