"""The k3s stand-in as a cluster: who is ready, who has quorum, who may not start (July 2025)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from blackstart.errors import Unreachable
from blackstart.rack.standins.k3s import cluster as module
from blackstart.rack.standins.k3s import members as views
from blackstart.rack.standins.k3s.cluster import Configuration, NotStarted, await_address
from blackstart.rack.standins.k3s.members import Members
from tests.contract.k3s_cluster import (
    CONVERGES_S,
    ENDS_S,
    GRACE_S,
    Cluster,
    await_that,
    cluster,
    launch,
)
from tests.unit.drivers.tls_server import Authority

ELSEWHERE = "192.0.2.73"
"""No machine that runs this has it (RFC 5737)."""


@pytest.fixture
def three(tmp_path: Path) -> Iterator[Cluster]:
    with cluster(tmp_path) as made:
        yield made


def condition(three: Cluster, through: str, name: str) -> dict[str, str]:
    """The condition Ready of a node, raw."""
    listed = three.get(through, "/api/v1/nodes").json()["items"]
    (node,) = (item for item in listed if item["metadata"]["name"] == name)
    conditions = {item["type"]: item for item in node["status"]["conditions"]}
    assert conditions["MemoryPressure"]["status"] in ("False", "Unknown")
    found: dict[str, str] = conditions["Ready"]
    return found


def test_a_member_that_is_gone_is_not_ready_after_the_grace_and_ready_when_back(
    three: Cluster,
) -> None:
    three.stop("k3s3")
    assert three.ready("k3s1")["k3s3"], "its last heartbeat still counts"
    three.settles("k3s1", "k3s2", k3s3=False)
    seen = condition(three, "k3s1", "k3s3")
    assert (seen["status"], seen["reason"]) == ("Unknown", "NodeStatusUnknown")
    assert seen["message"] == "Kubelet stopped posting node status."
    assert seen["lastTransitionTime"] > seen["lastHeartbeatTime"]
    with three.api("k3s1") as api:
        assert api.failing("k3s1") == (), "two of three are a quorum"
    three.start("k3s3")
    three.settles()


def test_without_quorum_nothing_is_read(three: Cluster) -> None:
    three.stop("k3s2")
    three.stop("k3s3")
    with three.api() as api:
        await_that(lambda: bool(api.failing("k3s1")))
        assert api.failing("k3s1") == (
            "etcd failed: reason withheld",
            "etcd-readiness failed: reason withheld",
        )
        with pytest.raises(Unreachable, match="k3s1: 500 etcdserver: request timed out"):
            api.nodes()
    answer = three.get("k3s1", "/api/v1/nodes")
    assert (answer.status_code, answer.json()) == (
        500,
        {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": "etcdserver: request timed out",
            "code": 500,
        },
    )
    assert three.get("k3s1", "/livez").text.splitlines()[-1] == "livez check failed"
    assert three.get("k3s1", "/version").status_code == 200, "it needs no datastore"
    three.start("k3s2")
    three.settles("k3s1", "k3s2", k3s3=False)


def test_a_member_that_answers_elsewhere_is_not_ready(three: Cluster) -> None:
    """Its node keeps the address at which its peers know it (k3s-io/k3s issue 2827)."""
    three.stop("k3s3")
    three.start("k3s3", **{"bind-address": "127.0.1.9"})
    three.settles("k3s1", "k3s2", k3s3=False)
    with three.api("k3s1") as api:
        (moved,) = (node for node in api.nodes() if node.name == "k3s3")
    assert moved.addresses == ("127.0.1.3",)


@pytest.mark.parametrize("wrong", ["another address", "another CA"])
def test_a_member_under_another_certificate_is_not_ready(
    three: Cluster, wrong: str, tmp_path: Path
) -> None:
    three.stop("k3s3")
    authority = three.authority
    if wrong == "another CA":
        (tmp_path / "other").mkdir()
        authority = Authority.make(tmp_path / "other", "another CA")
    address = "127.0.1.9" if wrong == "another address" else "127.0.1.3"
    three.start("k3s3", authority.issue(tmp_path, address))
    three.settles("k3s1", "k3s2", k3s3=False)
    with three.api() as api, pytest.raises(Unreachable, match="certificate verify failed"):
        api.failing("k3s3")


def test_a_member_that_hangs_is_not_ready_and_holds_nobody_up(three: Cluster) -> None:
    three.freeze("k3s3")
    try:
        await_that(lambda: not three.ready("k3s1")["k3s3"])
        began = time.monotonic()
        assert three.ready("k3s1") == {"k3s1": True, "k3s2": True, "k3s3": False}
        assert time.monotonic() - began < GRACE_S
    finally:
        three.thaw("k3s3")
    three.settles()


def test_a_start_at_another_address_is_refused(three: Cluster) -> None:
    three.stop("k3s3")
    three.members["k3s3"] = ELSEWHERE
    path = three.configure("k3s3")
    refused = launch(path)
    try:
        said, _ = refused.communicate(timeout=ENDS_S)
    finally:
        refused.kill()
        refused.wait(ENDS_S)
    assert refused.returncode == 1
    assert said.startswith(
        'level=fatal msg="starting kubernetes: this server is a not a member of the etcd '
        "cluster. Found [k3s1=https://127.0.1.1:2380 k3s2=https://127.0.1.2:2380 "
        f"k3s3=https://{ELSEWHERE}:2380], expect: k3s3=https://127."
    )
    assert "Traceback" not in said


def read(three: Cluster, name: str, address: str) -> Configuration:
    three.members[name] = address
    return Configuration.read(three.configure(name))


@pytest.fixture
def alone(tmp_path: Path) -> Cluster:
    """Files of a cluster that does not run."""
    return Cluster(tmp_path, Authority.make(tmp_path), 6443)


def test_a_start_waits_for_an_address_and_not_for_ever(
    alone: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ADDRESS_POLL_S", 0.01)
    monkeypatch.setattr(module, "_towards", lambda addresses: None)
    configuration = read(alone, "k3s3", ELSEWHERE)
    given = iter([False, False, True])
    monkeypatch.setattr(module, "holds", lambda address: next(given))
    await_address(configuration)
    assert next(given, "all asked") == "all asked"
    monkeypatch.setattr(module, "holds", lambda address: False)
    monkeypatch.setattr(module, "ADDRESS_WAIT_S", 0.05)
    began = time.monotonic()
    with pytest.raises(NotStarted, match="no default routes found"):
        await_address(configuration)
    assert time.monotonic() - began < CONVERGES_S


def test_a_server_that_lost_its_own_address_counts_nobody(
    alone: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its peers would answer it, and refuse what comes from an address they do not know."""
    members = Members(read(alone, "k3s3", "127.0.1.3"))
    for peer in members._peers:
        peer.note(answers=True)
    assert members.quorate()
    monkeypatch.setattr(views, "holds", lambda address: False)
    assert not members.quorate()
