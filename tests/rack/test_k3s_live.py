"""The rack's k3s through the product's driver: ready, without rights, without quorum, moved."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from shlex import quote

import pytest

from blackstart.drivers.base import Site
from blackstart.drivers.k3s import K3sServers
from blackstart.errors import DriverError, Rejected
from blackstart.model.k3s_facts import K3sFacts
from blackstart.rack.topology import PVE, Guest
from blackstart.wiring import K3S_PORT
from tests.rack.command import eventually, on

GUESTS = tuple(guest for guest in PVE.guests if guest.role == "k3s")
ELSEWHERE = "10.77.0.230"
"""Neither reserved nor in the pool."""
CONVERGES_S = 120.0
"""A look every 10 s, 30 s of grace, a restart after at most 20 s, all on emulated processors."""

pytestmark = pytest.mark.usefixtures("pristine_again", "inside")


@pytest.fixture
def api(secrets: Path) -> Iterator[K3sServers]:
    """All servers, with the token that may list nodes."""
    made = servers(secrets, "k3s-token")
    yield made
    made.close()


def servers(secrets: Path, token: str) -> K3sServers:
    endpoints = {guest.name: (str(guest.address), K3S_PORT) for guest in GUESTS}
    text = (secrets / token).read_text()
    return K3sServers(endpoints, token=text, ca=secrets / "ca.crt")


def seen_ready(api: K3sServers, **nodes: bool) -> bool:
    """Whether all nodes are seen ready, but for those named."""
    wanted = {guest.name: True for guest in GUESTS} | nodes
    with suppress(DriverError):
        return {node.name: node.ready for node in api.nodes()} == wanted
    return False


def in_guest(guest: Guest, script: str) -> str:
    """Run a script in a guest without its network, as at its console."""
    group = f"/sys/fs/cgroup/qemu.slice/{guest.vmid}.scope/payload/init.scope/cgroup.procs"
    enter_it = f"nsenter --target $(head -n 1 {group}) --mount --uts --ipc --net --pid"
    return on(guest.node, f"{enter_it} sh -c {quote(script)}")


def known(facts: K3sFacts | None) -> K3sFacts:
    assert facts is not None
    return facts


def test_every_node_is_ready_at_its_address_and_every_server(site: Site) -> None:
    k3s = known(site.facts().k3s)
    assert k3s.version.value == "v1.33.6+k3s1"
    nodes = {node.name: (node.ready, node.addresses) for node in k3s.nodes.value or ()}
    assert nodes == {guest.name: (True, (str(guest.address),)) for guest in GUESTS}
    for guest in GUESTS:
        server = k3s.servers[guest.name]
        assert (server.failing.value, server.verified.value) == ((), True)
        assert str(guest.address) in (server.carried.value or ())


def test_a_token_without_the_right_sees_no_nodes(secrets: Path) -> None:
    blind = servers(secrets, "k3s-blind-token")
    assert blind.failing("k3s1") == ()
    with pytest.raises(Rejected, match="403 nodes is forbidden"):
        blind.nodes()
    blind.close()


def test_without_quorum_nothing_is_read(site: Site, api: K3sServers) -> None:
    for name in ("k3s2", "k3s3"):
        on(name, "systemctl stop k3s")
    try:
        eventually(lambda: api.failing("k3s1") != (), CONVERGES_S)
        assert "etcd failed: reason withheld" in api.failing("k3s1")
        k3s = known(site.facts().k3s)
        assert k3s.nodes.value is None
        assert "500 etcdserver: request timed out" in str(k3s.nodes.error)
    finally:
        for name in ("k3s2", "k3s3"):
            on(name, "systemctl start k3s")
    eventually(lambda: seen_ready(api), CONVERGES_S)


def test_a_node_that_moves_is_lost_and_may_not_start_there(api: K3sServers) -> None:
    """The outage of July 2025: the lease is another one, and its k3s starts again."""
    k3s3 = next(guest for guest in GUESTS if guest.name == "k3s3")
    flush = "ip -4 address flush dev eth0"
    in_guest(k3s3, f"systemctl stop guest-network; {flush}; ip address add {ELSEWHERE}/24 dev eth0")
    try:
        eventually(lambda: seen_ready(api, k3s3=False), CONVERGES_S)
        (moved,) = (node for node in api.nodes() if node.name == "k3s3")
        assert moved.addresses == (str(k3s3.address),)
        in_guest(k3s3, "systemctl restart k3s")
        said = "this server is a not a member of the etcd cluster"
        eventually(lambda: said in in_guest(k3s3, "journalctl -u k3s -n 20 -o cat"), CONVERGES_S)
        assert f"expect: k3s3=https://{ELSEWHERE}:2380" in in_guest(
            k3s3, "journalctl -u k3s -n 20 -o cat"
        )
    finally:
        in_guest(k3s3, f"{flush}; systemctl start guest-network")
    eventually(lambda: seen_ready(api), CONVERGES_S)
