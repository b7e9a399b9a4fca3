"""What a scenario is run on: everything in the inventory that opted in to its fault."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from blackstart.errors import Refusal
from blackstart.model.inventory import Inventory
from blackstart.model.redundancy import groups
from blackstart.model.subjects import hosts_asked

NOT_APPLICABLE = "the inventory declares nothing that serves {serving}"


def _guests(inventory: Inventory) -> list[str]:
    return [name for name, guest in inventory.guests.items() if guest.running]


def _name_servers(inventory: Inventory) -> list[str]:
    servers = inventory.dns.servers.values() if inventory.dns else ()
    return sorted({server.guest for server in servers if server.guest})


def _maas(inventory: Inventory) -> list[str]:
    guest = inventory.maas.guest if inventory.maas is not None else None
    return [guest] if guest is not None else []


def _dhcp_servers(inventory: Inventory) -> list[str]:
    declared = {server.guest for server in inventory.dhcp.values() if server.guest}
    return sorted({*declared, *_maas(inventory)})


def _docker_hosts(inventory: Inventory) -> list[str]:
    return sorted({project.guest for project in inventory.compose.values()})


def _cluster_members(inventory: Inventory) -> list[str]:
    return [name for name, node in inventory.nodes.items() if node.api == "proxmox"]


def _plain_nodes(inventory: Inventory) -> list[str]:
    return [
        name
        for name, node in inventory.nodes.items()
        if node.role == "hypervisor" and node.api is None
    ]


FIXTURES: Mapping[str, tuple[Callable[[Inventory], list[str]], str]] = {
    "node": (lambda inventory: list(inventory.nodes), "no node"),
    "willing_guest": (_guests, "no guest"),
    "whole_site": (lambda inventory: [inventory.site], "not every node"),
}
SERVING: Mapping[str, Callable[[Inventory], list[str]]] = {
    "dns": _name_servers,
    "dhcp": _dhcp_servers,
    "maas": _maas,
    "compose": _docker_hosts,
    "corosync": _cluster_members,
    "libvirt": _plain_nodes,
}
"""What a drill marked ``serving=...`` is about: targets that serve nothing of it are left out."""


def _willing(inventory: Inventory, target: str, fault: str | None, *, whole: bool) -> bool:
    """Whether a target opted in; the ``whole`` site has when every one of its nodes did."""
    if fault is None:
        return True
    members = list(inventory.nodes) if whole else [target]
    return all(fault in inventory.may_break(member) for member in members)


def parametrize(metafunc: pytest.Metafunc, inventory: Callable[[], Inventory]) -> None:
    """One drill a target that opted in to its fault.

    Without any target one drill remains that says so: no targets is no pass. Only what the
    inventory declares nothing of is skipped. Raises ``UsageError`` for an unknown ``serving``.
    """
    marker = metafunc.definition.get_closest_marker("drill")
    wanted = [name for name in FIXTURES if name in metafunc.fixturenames]
    if marker is None or not wanted:
        return
    (fixture,) = wanted
    fault, serving = marker.kwargs.get("fault"), marker.kwargs.get("serving")
    site = inventory()
    found = FIXTURES[fixture][0](site)
    if serving is not None:
        if serving not in SERVING:
            raise pytest.UsageError(f"serving={serving!r}: write one of {', '.join(SERVING)}")
        found = [name for name in found if name in SERVING[serving](site)]
        if not found:
            skip = pytest.mark.skip(reason=NOT_APPLICABLE.format(serving=serving))
            metafunc.parametrize(fixture, [pytest.param(None, marks=skip)], indirect=True)
            return
    whole = fixture == "whole_site"
    targets = [name for name in found if _willing(site, name, fault, whole=whole)]
    metafunc.parametrize(fixture, targets or [None], indirect=True)


CHECKED: Mapping[str, tuple[Callable[[Inventory], list[str]], str]] = {
    "k3s_server": (lambda inventory: list(inventory.k3s.servers if inventory.k3s else ()), "k3s"),
    "host": (lambda inventory: list(hosts_asked(inventory)), "ssh"),
    "machine": (lambda inventory: list(inventory.nodes), "as a node"),
    "name_server": (lambda inventory: list(inventory.dns.servers if inventory.dns else ()), "dns"),
    "dhcp_server": (lambda inventory: list(inventory.dhcp), "dhcp"),
    "hypervisor": (_cluster_members, "as a Proxmox VE node"),
    "redundancy_group": (lambda inventory: list(groups(inventory)), "as one of several"),
}
"""What a check is about, other than a guest: one check for each of these."""


def parametrize_servers(metafunc: pytest.Metafunc, inventory: Callable[[], Inventory]) -> None:
    """One check a declared server or host; skipped where the inventory declares none."""
    if metafunc.definition.get_closest_marker("check") is None:
        return
    for fixture in CHECKED.keys() & set(metafunc.fixturenames):
        declared, serving = CHECKED[fixture]
        skip = pytest.mark.skip(reason=NOT_APPLICABLE.format(serving=serving))
        servers = declared(inventory())
        metafunc.parametrize(fixture, servers or [pytest.param(None, marks=skip)])


def tour(items: list[pytest.Item]) -> tuple[list[pytest.Item], list[pytest.Item]]:
    """One drill for each kind of fault, and what is left out.

    It is the fault's first scenario; different faults visit different targets, so that a
    tour sees all of the site.
    """
    kinds: dict[str, list[pytest.Item]] = {}
    chosen: list[pytest.Item] = []
    for item in items:
        marker = item.get_closest_marker("drill")
        if marker is None:
            chosen.append(item)
        elif item.get_closest_marker("skip") is None:
            kinds.setdefault(str(marker.kwargs.get("fault")), []).append(item)
    for turn, drills in enumerate(kinds.values()):
        first = [item for item in drills if _function(item) == _function(drills[0])]
        chosen.append(first[turn % len(first)])
    left_out = [item for item in items if item not in chosen]
    return [item for item in items if item in chosen], left_out


def _function(item: pytest.Item) -> str:
    return item.nodeid.partition("[")[0]


def _target(request: pytest.FixtureRequest) -> str:
    if request.param is None:
        nobody = FIXTURES[str(request.fixturename)][1]
        raise Refusal([f"{nobody} of the inventory has opted in to this fault (may_break)"])
    return str(request.param)


@pytest.fixture
def node(request: pytest.FixtureRequest) -> str:
    """The node to break."""
    return _target(request)


@pytest.fixture
def willing_guest(request: pytest.FixtureRequest) -> str:
    """The guest to break."""
    return _target(request)


@pytest.fixture
def whole_site(request: pytest.FixtureRequest) -> str:
    """The site, all of whose machines may be broken at once."""
    return _target(request)
