"""Calls of the Proxmox API: failover, the vendor's words, TLS, and nothing sent twice."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from blackstart.drivers import proxmox_api
from blackstart.drivers.proxmox_api import ProxmoxApi, Token, parse_token
from blackstart.errors import DriverError, Rejected, TimedOut, Unreachable, UsageError

from .captures import data, needs_captures, replay
from .sshd import free_port
from .tls_server import Authority, Reply, Server, serving

SECRET = "5e3a9f10-0000-4000-8000-7c0ffee00001"
TOKEN = Token("drill@pve", "t1", SECRET)
BASE = "/api2/json"


def one(node: Server, authority: Authority) -> ProxmoxApi:
    """An API with this one endpoint."""
    return ProxmoxApi({"pve1": "127.0.0.1"}, token=TOKEN, ca=authority.ca, port=node.port)


def refusal(api: ProxmoxApi, path: str = "version", method: str = "get") -> DriverError:
    """What a call raises; it must raise."""
    with pytest.raises(DriverError) as caught:
        getattr(api, method)(path)
    api.close()
    return caught.value


def test_the_token_goes_into_the_header_and_nowhere_else(
    node: Server, authority: Authority
) -> None:
    node.answers[f"GET {BASE}/version"] = data({"version": "9.1.7"})
    api = one(node, authority)
    assert api.get("version") == {"version": "9.1.7"}
    api.close()
    (asked,) = node.asked
    assert asked.headers["Authorization"] == f"PVEAPIToken=drill@pve!t1={SECRET}"
    assert SECRET not in asked.path
    assert SECRET not in repr(TOKEN)


def test_one_connection_serves_many_calls(node: Server, authority: Authority) -> None:
    node.answers[f"GET {BASE}/version"] = data({})
    api = one(node, authority)
    for _ in range(3):
        api.get("version")
    api.close()
    assert (len(node.asked), node.connections) == (3, 1)


@pytest.mark.parametrize("between", ["\n", " ", "\x00", "\u20ac"])
def test_a_token_that_no_header_can_carry_is_a_mistake_and_not_shown(between: str) -> None:
    with pytest.raises(UsageError, match="one word") as caught:
        parse_token(f"root@pam!t1={SECRET}{between}{SECRET}")
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("text", ["", "root@pam!t1", "root!t1=x", "root@pam=x", "root@pam!=x"])
def test_what_is_no_token_is_refused_without_being_shown(text: str) -> None:
    with pytest.raises(UsageError, match="USER@REALM!ID=UUID"):
        parse_token(text)


def test_a_token_is_taken_apart() -> None:
    assert parse_token(f"drill@pve!t1={SECRET}\n") == TOKEN


@needs_captures
@pytest.mark.parametrize(
    ("capture", "kind", "words"),
    [
        ("401-token-bad", Rejected, "401 Authentication failed!"),
        ("401-no-ticket", Rejected, "401 No ticket"),
        ("403-config", Rejected, "403 Permission check failed (/vms/100, VM.Audit)"),
        (
            "500-missing-vm",
            Rejected,
            "500 Configuration file 'nodes/pve1/qemu-server/999.conf' does not exist",
        ),
        ("400-unknown-upid", Rejected, "400 Parameter verification failed. upid: no such task"),
        ("595-refused", Unreachable, "via pve1: 595 Connection refused"),
        ("595-noroute", Unreachable, "via pve1: 595 No route to host"),
        (
            "596-tls",
            Unreachable,
            "via pve1: 596 error:0A000086:SSL routines::certificate verify failed",
        ),
    ],
)
def test_the_vendors_reason_phrase_is_the_message(
    capture: str, kind: type[DriverError], words: str, node: Server, authority: Authority
) -> None:
    node.answers[f"GET {BASE}/nodes/pve2/status"] = replay(capture)
    error = refusal(one(node, authority), "nodes/pve2/status")
    assert (type(error), str(error)) == (kind, words)


def test_what_is_no_json_is_rejected(node: Server, authority: Authority) -> None:
    node.answers[f"GET {BASE}/version"] = Reply(body=b"<html>captive portal</html>")
    assert "not the API's JSON" in str(refusal(one(node, authority)))
    node.answers[f"GET {BASE}/version"] = Reply(body=b'{"other": 1}')
    assert "not the API's JSON" in str(refusal(one(node, authority)))


def test_a_certificate_of_another_ca_is_refused(
    node: Server, authority: Authority, tmp_path: Path
) -> None:
    other = Authority.make(tmp_path, "other CA")
    error = refusal(ProxmoxApi({"pve1": "127.0.0.1"}, token=TOKEN, ca=other.ca, port=node.port))
    assert isinstance(error, Unreachable)
    assert "certificate verify failed" in str(error)
    assert node.asked == []


def test_the_environment_cannot_replace_the_declared_ca(
    node: Server, authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Authority.make(tmp_path, "other CA")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.ca))
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    error = refusal(ProxmoxApi({"pve1": "127.0.0.1"}, token=TOKEN, ca=other.ca, port=node.port))
    assert "certificate verify failed" in str(error)


def test_without_a_ca_the_systems_store_decides(
    node: Server, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    node.answers[f"GET {BASE}/version"] = data({})
    api = ProxmoxApi({"pve1": "127.0.0.1"}, token=TOKEN, ca=None, port=node.port)
    assert "certificate verify failed" in str(refusal(api))
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.ca))
    api = ProxmoxApi({"pve1": "127.0.0.1"}, token=TOKEN, ca=None, port=node.port)
    assert api.get("version") == {}
    api.close()


def test_a_certificate_for_another_address_is_refused(authority: Authority, tmp_path: Path) -> None:
    with serving(authority.issue(tmp_path, "127.0.0.9")) as node:
        assert "certificate verify failed" in str(refusal(one(node, authority)))


class TestSeveralEndpoints:
    """127.0.0.1 and 127.0.0.2 stand for two nodes on the same port."""

    @pytest.fixture
    def api(self, authority: Authority, node: Server) -> Iterator[ProxmoxApi]:
        nodes = {"pve2": "127.0.0.2", "pve1": "127.0.0.1"}
        made = ProxmoxApi(nodes, token=TOKEN, ca=authority.ca, port=node.port)
        yield made
        made.close()

    def test_a_refused_connection_falls_over(self, api: ProxmoxApi, node: Server) -> None:
        node.answers[f"GET {BASE}/version"] = data({"version": "9"})
        assert api.get("version") == {"version": "9"}

    def test_the_one_that_answered_is_asked_first_afterwards(
        self, api: ProxmoxApi, node: Server
    ) -> None:
        node.answers[f"GET {BASE}/version"] = data({})
        api.get("version")
        assert [endpoint.node for endpoint in api._endpoints] == ["pve1", "pve2"]

    def test_the_node_that_a_path_is_about_is_asked_first(
        self, authority: Authority, node: Server, tmp_path: Path
    ) -> None:
        node.answers[f"GET {BASE}/nodes/pve1/status"] = data("by pve1")
        node.answers[f"GET {BASE}/version"] = data({})
        nodes = {"pve3": "127.0.0.3", "pve1": "127.0.0.1"}
        made = ProxmoxApi(nodes, token=TOKEN, ca=authority.ca, port=node.port)
        assert made._in_order("nodes/pve1/status")[0].node == "pve1"
        assert made._in_order("version")[0].node == "pve3"
        assert made.get("nodes/pve1/status") == "by pve1"
        made.close()

    def test_all_failures_are_told(self, api: ProxmoxApi, node: Server) -> None:
        node.answers[f"GET {BASE}/version"] = Reply(595, "No route to host")
        error = refusal(api)
        assert isinstance(error, Unreachable)
        assert str(error) == "pve2: Connection refused; via pve1: 595 No route to host"

    def test_a_no_is_final(self, api: ProxmoxApi, node: Server) -> None:
        node.answers[f"GET {BASE}/version"] = Reply(403, "Permission check failed")
        assert isinstance(refusal(api), Rejected)
        assert len(node.asked) == 1

    def test_a_post_falls_over_when_it_cannot_have_arrived(
        self, api: ProxmoxApi, node: Server
    ) -> None:
        node.answers[f"POST {BASE}/act"] = data("UPID:x")
        assert api.post("act") == "UPID:x"


def test_a_post_whose_answer_was_lost_is_not_sent_again(
    node: Server, authority: Authority, tmp_path: Path
) -> None:
    with serving(authority.issue(tmp_path, "127.0.0.2"), "127.0.0.2") as second:
        node.answers[f"POST {BASE}/act"] = Reply(drop=True)
        node.answers[f"GET {BASE}/look"] = Reply(drop=True)
        first = {"pve1": "127.0.0.1"}
        api = ProxmoxApi(first, token=TOKEN, ca=authority.ca, port=node.port)
        other = ProxmoxApi({"pve2": "127.0.0.2"}, token=TOKEN, ca=authority.ca, port=second.port)
        api._endpoints += other._endpoints
        second.answers[f"POST {BASE}/act"] = data("again")
        second.answers[f"GET {BASE}/look"] = data("seen")
        assert isinstance(refusal(api, "act", "post"), Unreachable)
        assert second.asked == []
        assert api.get("look") == "seen"
        api.close()


def test_a_silent_endpoint_is_bounded(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proxmox_api, "READ_S", 0.5)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        api = ProxmoxApi({"pve1": "127.0.0.1"}, token=TOKEN, ca=authority.ca, port=port)
        began = time.monotonic()
        assert isinstance(refusal(api), TimedOut)
        assert time.monotonic() - began < 3


def test_an_answer_that_trickles_for_ever_is_bounded(
    node: Server, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proxmox_api, "CALL_S", 0.5)
    monkeypatch.setattr(proxmox_api, "READ_S", 0.5)
    node.answers[f"GET {BASE}/version"] = Reply(body=b'{"data": "a long one"}', byte_s=0.2)
    began = time.monotonic()
    assert "no answer within" in str(refusal(one(node, authority)))
    assert time.monotonic() - began < 2


def test_a_closed_port_is_unreachable(authority: Authority) -> None:
    api = ProxmoxApi({"pve1": "127.0.0.1"}, token=TOKEN, ca=authority.ca, port=free_port())
    assert str(refusal(api)) == "pve1: Connection refused"


def test_a_cluster_without_endpoints_is_a_mistake(authority: Authority) -> None:
    with pytest.raises(UsageError, match="api: proxmox"):
        ProxmoxApi({}, token=TOKEN, ca=authority.ca)
