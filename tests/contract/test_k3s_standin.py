"""The k3s stand-in to who asks: shapes, tokens, rights; by our driver and the official client."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from kubernetes.client import ApiClient, Configuration, CoreV1Api, V1Node, VersionApi

from blackstart.collect.k3s import look_at_k3s
from blackstart.drivers.tls import TlsLook
from blackstart.errors import Rejected
from tests.contract.k3s_cluster import (
    ADDRESSES,
    BLIND,
    BLIND_TOKEN,
    TOKEN,
    Cluster,
    cluster,
)

UNAUTHORIZED = {
    "kind": "Status",
    "apiVersion": "v1",
    "metadata": {},
    "status": "Failure",
    "message": "Unauthorized",
    "reason": "Unauthorized",
    "code": 401,
}
CANNOT_LIST = (
    f'nodes is forbidden: User "{BLIND}" cannot list resource "nodes" in API group "" '
    "at the cluster scope"
)


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with cluster(tmp_path_factory.mktemp("k3s")) as made:
        yield made


def test_the_driver_finds_a_healthy_cluster(healthy: Cluster) -> None:
    with healthy.api() as api:
        facts = look_at_k3s(api, TlsLook(), timeout_s=30)
    assert facts.version.value == "v1.33.6+k3s1"
    nodes = {node.name: node for node in facts.nodes.value or ()}
    assert {name: node.addresses for name, node in nodes.items()} == {
        name: (address,) for name, address in ADDRESSES.items()
    }
    assert all(node.ready for node in nodes.values())
    assert nodes["k3s1"].why == "KubeletReady: kubelet is posting ready status"
    for name, server in facts.servers.items():
        assert (server.failing.value, server.verified.value) == ((), True)
        assert server.carried.value == (ADDRESSES[name],)


@pytest.fixture
def client(healthy: Cluster) -> Iterator[ApiClient]:
    """The official client, as anybody would set it up."""
    configuration = Configuration(
        host=healthy.url("k3s2", ""),
        api_key={"BearerToken": TOKEN},
        api_key_prefix={"BearerToken": "Bearer"},
        ssl_ca_cert=str(healthy.authority.ca),
    )
    with ApiClient(configuration) as made:
        yield made


def test_the_official_client_takes_its_nodes(client: ApiClient) -> None:
    listed = CoreV1Api(client).list_node(_request_timeout=10)
    assert (listed.kind, listed.api_version) == ("NodeList", "v1")
    assert len(listed.items) == 3
    for node in listed.items:
        assert isinstance(node, V1Node)
        assert node.metadata.labels["node-role.kubernetes.io/etcd"] == "true"
        conditions = {item.type: item for item in node.status.conditions}
        assert {kind: item.status for kind, item in conditions.items()} == {
            "EtcdIsVoter": "True",
            "MemoryPressure": "False",
            "DiskPressure": "False",
            "PIDPressure": "False",
            "Ready": "True",
        }
        ready = conditions["Ready"]
        age = datetime.now(UTC) - ready.last_heartbeat_time
        assert timedelta(seconds=-2) < age < timedelta(seconds=10)
        assert ready.last_transition_time <= ready.last_heartbeat_time


def test_the_official_client_takes_its_version(client: ApiClient) -> None:
    version = VersionApi(client).get_code(_request_timeout=10)
    assert (version.major, version.minor, version.platform) == ("1", "33", "linux/amd64")


@pytest.mark.parametrize("path", ["/api/v1/nodes", "/readyz", "/livez", "/version", "/nothing"])
@pytest.mark.parametrize("token", [None, "", "wrong", TOKEN[:-1], TOKEN + "x", "ümlaut"])
def test_who_is_nobody_sees_nothing(healthy: Cluster, path: str, token: str | None) -> None:
    """k3s runs its API with ``--anonymous-auth=false``."""
    encoded = token.encode().decode("latin-1") if token is not None else None
    answer = healthy.get("k3s1", path, encoded)
    assert (answer.status_code, answer.json()) == (401, UNAUTHORIZED)
    assert answer.headers["Content-Type"] == "application/json"


def test_the_driver_says_that_a_token_is_wrong(healthy: Cluster) -> None:
    with healthy.api("k3s1", token="wrong") as api:
        with pytest.raises(Rejected, match="k3s1: 401 Unauthorized; the token is wrong"):
            api.nodes()
        with pytest.raises(Rejected, match="401"):
            api.failing("k3s1")


def test_a_token_without_the_right_sees_health_and_version_and_no_nodes(healthy: Cluster) -> None:
    with healthy.api("k3s1", token=BLIND_TOKEN) as api:
        assert (api.version(), api.failing("k3s1")) == ("v1.33.6+k3s1", ())
        with pytest.raises(Rejected) as refused:
            api.nodes()
    assert str(refused.value).startswith(f"k3s1: 403 {CANNOT_LIST}")
    answer = healthy.get("k3s1", "/api/v1/nodes", BLIND_TOKEN).json()
    assert (answer["reason"], answer["details"], answer["code"]) == (
        "Forbidden",
        {"kind": "nodes"},
        403,
    )


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/api/v1/pods", 'cannot list resource "pods" in API group "" at the cluster scope'),
        ("/readyz/etcd", 'cannot get path "/readyz/etcd"'),
        ("/metrics", 'cannot get path "/metrics"'),
    ],
)
def test_nobody_has_more_rights_than_a_drill_needs(healthy: Cluster, path: str, words: str) -> None:
    answer = healthy.get("k3s1", path)
    assert (answer.status_code, answer.json()["reason"]) == (403, "Forbidden")
    assert answer.json()["message"].endswith(words)


def test_health_is_a_word_or_a_list(healthy: Cluster) -> None:
    assert healthy.get("k3s1", "/readyz").text == "ok"
    verbose = healthy.get("k3s1", "/readyz?verbose")
    assert verbose.status_code == 200
    first, *_, last = verbose.text.splitlines()
    assert (first, last) == ("[+]ping ok", "readyz check passed")
    assert {"[+]etcd ok", "[+]etcd-readiness ok"} <= set(verbose.text.splitlines())
    assert "etcd-readiness" not in healthy.get("k3s1", "/livez?verbose").text


def test_members_need_no_token_to_look_at_each_other(healthy: Cluster) -> None:
    answer = healthy.get("k3s1", "/ping", token=None)
    assert (answer.status_code, answer.text) == (200, "pong")
