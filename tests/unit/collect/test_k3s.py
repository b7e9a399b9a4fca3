"""Facts of a k3s cluster: complete whoever is away, and in the snapshot of the site."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from blackstart.collect import site as site_module
from blackstart.collect.k3s import look_at_k3s
from blackstart.errors import Rejected, Unreachable
from blackstart.model.facts import CertificateFacts, Observed, SiteFacts, unread
from blackstart.model.k3s_facts import K3sNode

from .test_site import collector

NODES = (
    K3sNode(name="k1", ready=True, why="KubeletReady", addresses=("10.0.0.71",)),
    K3sNode(name="k2", ready=False, why="NodeStatusUnknown", addresses=("10.0.0.72",)),
)
CA = Path("/k3s/server-ca.crt")


@dataclass
class Cluster:
    """Two servers, of which those in ``away`` do not answer."""

    away: frozenset[str] = frozenset()
    ca: Path = CA
    servers: Mapping[str, tuple[str, int]] = field(
        default_factory=lambda: {"k1": ("10.0.0.71", 6443), "k2": ("10.0.0.72", 6443)}
    )

    def version(self) -> str:
        return "v1.33.6+k3s1"

    def nodes(self) -> tuple[K3sNode, ...]:
        if len(self.away) == len(self.servers):
            raise Unreachable("k1: no route; k2: no route")
        return NODES

    def failing(self, server: str) -> tuple[str, ...]:
        if server in self.away:
            raise Unreachable(f"{server}: no route")
        return () if server == "k1" else ("etcd failed",)


class Presented:
    """Every endpoint presents a certificate of its own address."""

    def __init__(self) -> None:
        self.looked: list[tuple[str, int, Path | None]] = []

    def look(self, host: str, port: int, ca: Path | None) -> CertificateFacts:
        self.looked.append((host, port, ca))
        return CertificateFacts(
            fingerprint_sha256=Observed(source="tls", value="ab"),
            addresses=Observed(source="tls", value=(host,)),
            verified=Observed(source="tls", value=True),
        )


def test_nodes_and_every_server_by_itself() -> None:
    presented = Presented()
    facts = look_at_k3s(Cluster(), presented, timeout_s=5)
    assert (facts.version.value, facts.nodes.value) == ("v1.33.6+k3s1", NODES)
    assert facts.nodes.source == "api k3s GET /api/v1/nodes"
    assert {name: server.failing.value for name, server in facts.servers.items()} == {
        "k1": (),
        "k2": ("etcd failed",),
    }
    assert facts.servers["k2"].address == "10.0.0.72"
    assert facts.servers["k2"].carried.value == ("10.0.0.72",)
    assert facts.servers["k2"].verified.value is True
    assert sorted(presented.looked) == [("10.0.0.71", 6443, CA), ("10.0.0.72", 6443, CA)]


def test_a_server_that_is_away_hides_itself_only() -> None:
    facts = look_at_k3s(Cluster(frozenset({"k2"})), Presented(), timeout_s=5)
    assert facts.nodes.value == NODES
    assert facts.servers["k1"].failing.value == ()
    assert facts.servers["k2"].failing.error == "k2: no route"
    assert facts.servers["k2"].failing.source == "api k3s k2 GET /readyz"


def test_all_away_is_known_of_nobody() -> None:
    facts = look_at_k3s(Cluster(frozenset({"k1", "k2"})), Presented(), timeout_s=5)
    assert facts.nodes.error == "k1: no route; k2: no route"
    assert not any(server.failing.known for server in facts.servers.values())


def test_what_the_api_refuses_is_not_known() -> None:
    class Refusing(Cluster):
        def nodes(self) -> tuple[K3sNode, ...]:
            raise Rejected("k1: 403 nodes is forbidden")

    facts = look_at_k3s(Refusing(), Presented(), timeout_s=5)
    assert (facts.nodes.value, facts.nodes.error) == (None, "k1: 403 nodes is forbidden")


class Stuck(Presented):
    """The second server's certificate is waited for until the test ends."""

    def __init__(self) -> None:
        super().__init__()
        self.over = threading.Event()

    def look(self, host: str, port: int, ca: Path | None) -> CertificateFacts:
        if host == "10.0.0.72":
            self.over.wait(30)
        return super().look(host, port, ca)


def test_a_server_that_hangs_is_left_behind() -> None:
    stuck = Stuck()
    began = time.monotonic()
    facts = look_at_k3s(Cluster(), stuck, timeout_s=0.3)
    took = time.monotonic() - began
    stuck.over.set()
    assert took < 3
    assert facts.servers["k1"].failing.value == ()
    assert facts.servers["k2"].carried.error == "no answer within 0 s"
    assert facts.nodes.value == NODES


class NothingPresented:
    """What the site's own endpoints present is of no concern here."""

    def look(self, host: str, port: int, ca: Path | None) -> CertificateFacts:
        return unread(CertificateFacts, "tls", "none here")


def test_it_is_part_of_the_sites_snapshot() -> None:
    facts = collector(k3s=Cluster(), certificates=NothingPresented())()
    assert facts.k3s is not None
    assert facts.k3s.nodes.value == NODES
    assert SiteFacts.model_validate_json(facts.model_dump_json()) == facts
    assert collector()().k3s is None


def test_a_cluster_that_hangs_is_left_behind_by_the_snapshot(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    over = threading.Event()

    class Hanging(Cluster):
        def nodes(self) -> tuple[K3sNode, ...]:
            over.wait(30)
            raise Unreachable("the test is over")

    monkeypatch.setattr(site_module, "GRACE_S", 0.2)
    facts = collector(k3s=Hanging(), deadline_s=0.5)()
    over.set()
    assert facts.k3s is not None
    assert facts.k3s.nodes.error == "no answer within 1 s"
    assert set(facts.k3s.servers) == {"k1", "k2"}
    assert facts.hosts["pve1"].boot_id.known
