"""The k3s driver over real TLS: the API's words, its servers in turn, the token nowhere else."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from blackstart.drivers import k3s as module
from blackstart.drivers.k3s import K3sServers
from blackstart.errors import DriverError, Rejected, TimedOut, Unreachable, UsageError
from blackstart.model.k3s_facts import K3sNode

from . import k3s_answers as answers
from .k3s_answers import NODES, READYZ, TOKEN, VERSION
from .sshd import free_port
from .tls_server import Authority, Reply, Server, serving


@pytest.fixture
def api(node: Server, authority: Authority) -> Iterator[K3sServers]:
    """A cluster with one server."""
    made = cluster(authority, one=("127.0.0.1", node.port))
    yield made
    made.close()


def cluster(authority: Authority, **servers: tuple[str, int]) -> K3sServers:
    return K3sServers(servers, token=TOKEN, ca=authority.ca)


def refused(api: K3sServers) -> DriverError:
    """What asking for the nodes raises; it must."""
    with pytest.raises(DriverError) as caught:
        api.nodes()
    assert TOKEN not in str(caught.value)
    return caught.value


def test_nodes_with_their_readiness_and_their_own_addresses(api: K3sServers, node: Server) -> None:
    node.answers[NODES] = answers.nodes(
        answers.node("k2", "10.0.0.72", "Unknown"),
        answers.node("k1", "10.0.0.71", nodeInfoOfTomorrow={"a": 1}),
        answers.node("k3", "10.0.0.73", "False"),
    )
    assert api.nodes() == (
        K3sNode(
            name="k1", ready=True, why="KubeletReady: kubelet says so", addresses=("10.0.0.71",)
        ),
        K3sNode(
            name="k2",
            ready=False,
            why="NodeStatusUnknown: kubelet says so",
            addresses=("10.0.0.72",),
        ),
        K3sNode(
            name="k3", ready=False, why="KubeletNotReady: kubelet says so", addresses=("10.0.0.73",)
        ),
    )


def test_a_node_that_says_nothing_yet_is_not_ready(api: K3sServers, node: Server) -> None:
    node.answers[NODES] = answers.nodes({"metadata": {"name": "new"}})
    assert api.nodes() == (
        K3sNode(name="new", ready=False, why="no condition Ready", addresses=()),
    )


def test_the_token_goes_into_the_header_and_nowhere_else(api: K3sServers, node: Server) -> None:
    node.answers |= {NODES: answers.nodes(), READYZ: Reply(body=b"ok"), VERSION: answers.version()}
    assert (api.nodes(), api.failing("one"), api.version()) == ((), (), "v1.33.6+k3s1")
    assert {asked.headers.get("authorization") for asked in node.asked} == {f"Bearer {TOKEN}"}
    assert node.lines() == [NODES, READYZ, VERSION]
    assert TOKEN not in repr(api)


def test_the_answer_is_never_one_from_a_cache(api: K3sServers, node: Server) -> None:
    """With ``resourceVersion=0`` a server without quorum would tell old news."""
    node.answers[NODES] = answers.nodes()
    api.nodes()
    assert "resourceVersion" not in node.asked[0].path


def test_a_redirect_is_not_followed_with_the_token(api: K3sServers, node: Server) -> None:
    node.answers[NODES] = Reply(302, "Found", location="/elsewhere")
    refused(api)
    assert len(node.asked) == 1


FORBIDDEN = (
    'nodes is forbidden: User "system:serviceaccount:kube-system:drill" cannot list resource '
    '"nodes" in API group "" at the cluster scope'
)


@pytest.mark.parametrize(
    ("reply", "kind", "words"),
    [
        (
            answers.refusal(401, "Unauthorized"),
            Rejected,
            "one: 401 Unauthorized; the token is wrong or has expired, see `token:` of k3s",
        ),
        (
            answers.refusal(403, FORBIDDEN),
            Rejected,
            f"one: 403 {FORBIDDEN}; docs/k3s.md says what its role needs",
        ),
        (
            answers.refusal(500, "etcdserver: request timed out"),
            Unreachable,
            "one: 500 etcdserver: request timed out",
        ),
        (
            Reply(503, "Service Unavailable", b"starting"),
            Unreachable,
            "one: 503 Service Unavailable",
        ),
        (Reply(404, "Not Found", b"[]"), Rejected, "one: 404 Not Found"),
    ],
)
def test_the_apis_own_words_are_the_message(
    reply: Reply, kind: type[DriverError], words: str, api: K3sServers, node: Server
) -> None:
    node.answers[NODES] = reply
    error = refused(api)
    assert (type(error), str(error)) == (kind, words)


@pytest.mark.parametrize(
    "body",
    [
        b"<html>captive portal</html>",
        b"",
        b"null",
        b"[]",
        b'"text"',
        b"\xff\xfe",
        b'{"kind": "Status"}',
        b'{"items": null}',
        b'{"items": [1]}',
        b'{"items": [{}]}',
        b'{"items": [{"metadata": {"name": 7}}]}',
        b'{"items": [{"metadata": {"name": "a"}, "status": {"addresses": [{"type": "x"}]}}]}',
    ],
)
def test_what_is_no_list_of_nodes_is_rejected(body: bytes, api: K3sServers, node: Server) -> None:
    node.answers[NODES] = Reply(body=body)
    error = refused(api)
    assert isinstance(error, Rejected)
    assert str(error).startswith("one: the answer is not the API's JSON: ")
    assert "\n" not in str(error)


def test_a_certificate_of_another_ca_is_refused(node: Server, tmp_path: Path) -> None:
    other = cluster(Authority.make(tmp_path, "other CA"), one=("127.0.0.1", node.port))
    error = refused(other)
    assert isinstance(error, Unreachable)
    assert str(error).startswith("one: certificate verify failed: ")
    assert str(error).endswith("; see `ca:` of k3s")
    assert node.asked == []


def test_a_certificate_for_another_address_is_refused(authority: Authority, tmp_path: Path) -> None:
    """What peers of a node that moved see."""
    with serving(authority.issue(tmp_path, "127.0.0.9")) as node:
        error = refused(cluster(authority, one=("127.0.0.1", node.port)))
    assert "IP address mismatch" in str(error)
    assert node.asked == []


def test_neither_proxy_nor_ca_comes_from_the_environment(
    node: Server, authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    node.answers[NODES] = answers.nodes()
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    assert cluster(authority, one=("127.0.0.1", node.port)).nodes() == ()
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.ca))
    other = cluster(Authority.make(tmp_path, "other CA"), one=("127.0.0.1", node.port))
    assert "certificate verify failed" in str(refused(other))


def test_a_token_that_no_header_can_carry_is_a_mistake_and_not_shown(authority: Authority) -> None:
    with pytest.raises(UsageError, match="one word") as caught:
        K3sServers({"one": ("127.0.0.1", 1)}, token=f"{TOKEN}\n{TOKEN}", ca=authority.ca)
    assert TOKEN not in str(caught.value)


def test_a_ca_that_is_not_there_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"ca\.crt is not there"):
        K3sServers({"one": ("127.0.0.1", 1)}, token=TOKEN, ca=tmp_path / "ca.crt")


def test_a_server_that_is_away_or_lost_its_datastore_is_passed_over(
    node: Server, authority: Authority, tmp_path: Path
) -> None:
    with serving(authority.issue(tmp_path, "127.0.0.2"), "127.0.0.2") as second:
        servers = {"gone": ("127.0.0.1", free_port()), "one": ("127.0.0.1", node.port)}
        api = cluster(authority, **servers, two=("127.0.0.2", second.port))
        node.answers[NODES] = answers.refusal(500, "etcdserver: no leader")
        second.answers[NODES] = answers.nodes(answers.node("k1", "10.0.0.71"))
        assert [item.name for item in api.nodes()] == ["k1"]
        assert len(node.asked) == 1
        api.nodes()
        assert len(node.asked) == 1, "the one that answered is asked first the next time"
        second.answers[NODES] = Reply(drop=True)
        error = refused(api)
        api.close()
    assert isinstance(error, Unreachable)
    assert str(error) == (
        "two: the connection broke; gone: Connection refused; one: 500 etcdserver: no leader"
    )


def test_a_no_is_final(node: Server, authority: Authority) -> None:
    node.answers[NODES] = answers.refusal(401, "Unauthorized")
    endpoint = ("127.0.0.1", node.port)
    assert isinstance(refused(cluster(authority, one=endpoint, two=endpoint)), Rejected)
    assert len(node.asked) == 1


NOT_READY = b"[+]ping ok\n[-]etcd failed: reason withheld\n[+]log ok\nreadyz check failed\n"


def test_a_server_says_why_it_is_not_ready(api: K3sServers, node: Server) -> None:
    node.answers[READYZ] = Reply(500, "Internal Server Error", NOT_READY)
    assert api.failing("one") == ("etcd failed: reason withheld",)
    node.answers[READYZ] = Reply(503, "Service Unavailable", b"shutting down\n")
    assert api.failing("one") == ("503 shutting down",)


def test_a_server_that_does_not_say_is_not_taken_for_ready(api: K3sServers, node: Server) -> None:
    node.answers[READYZ] = answers.refusal(401, "Unauthorized")
    with pytest.raises(Rejected, match="401 Unauthorized"):
        api.failing("one")
    for reply in (Reply(drop=True), Reply(302, "Found")):
        node.answers[READYZ] = reply
        with pytest.raises(Unreachable):
            api.failing("one")


def test_a_silent_server_is_bounded(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "READ_S", 0.3)
    monkeypatch.setattr(module, "CONNECT_S", 0.5)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        api = cluster(authority, one=("127.0.0.1", listener.getsockname()[1]))
        began = time.monotonic()
        assert isinstance(refused(api), DriverError)
        assert time.monotonic() - began < 5


def test_an_answer_that_trickles_for_ever_is_bounded(
    api: K3sServers, node: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "READ_S", 0.5)
    monkeypatch.setattr(module, "CONNECT_S", 0.5)
    body = json.dumps({"items": []}).encode()
    node.answers[NODES] = Reply(body=body, byte_s=0.2)
    assert isinstance(refused(api), TimedOut)


LEFT_BEHIND = """
import sys
from pathlib import Path
from blackstart.drivers import k3s
from blackstart.errors import DriverError

k3s.CONNECT_S = k3s.READ_S = 0.5
api = k3s.K3sServers({{"one": ("127.0.0.1", {port})}}, token="{token}", ca=Path("{ca}"))
try:
    api.{call}()
except DriverError as error:
    print(error)
sys.exit(3)
"""


@pytest.mark.parametrize("call", ["nodes", "version"])
def test_a_call_that_was_left_behind_takes_no_exit_code(
    call: str, node: Server, authority: Authority
) -> None:
    """Its thread is still at work when Python ends: the process must end with its own code."""
    node.otherwise = Reply(body=b" " * 100_000, byte_s=0.002)
    program = LEFT_BEHIND.format(port=node.port, token=TOKEN, ca=authority.ca, call=call)
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False
    )
    assert "no answer within" in ended.stdout
    assert ended.returncode == 3
