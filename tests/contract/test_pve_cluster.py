"""Two nodes: calls passed on, a node that is dead, and no quorum."""

from __future__ import annotations

import errno
import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
from cryptography import x509

from blackstart.rack.standins.pve import broadcast
from blackstart.rack.standins.pve.forward import Forwarder, unreachable
from blackstart.rack.standins.pve.server import make_app
from tests.contract.pve_captures import read_capture
from tests.contract.pve_client import Api, login
from tests.contract.pve_schema import ABSENT, CAPTURES
from tests.contract.pve_served import Served, served
from tests.contract.pve_site import (
    LOOPBACK,
    SiteNode,
    make_secrets,
    make_site_node,
    members_file,
)

VM = "agent: 1\nmemory: 256\nname: {name}\nscsi0: local:{vmid}/disk.raw,size=1G\n"


@dataclass
class Pair:
    """A cluster of two; ``second_server`` can be taken away."""

    first: SiteNode
    second: SiteNode
    api: Api
    second_server: ExitStack

    def members(self, *, online: bool = True, quorate: bool = True) -> None:
        """What the cluster file systems say."""
        for site in (self.first, self.second):
            there = {"pve1": True, "pve2": online or site is self.second}
            site.put(".members", members_file(there, site.node.name, quorate=quorate))

    def gossip(self) -> None:
        """Both nodes measure, and hear of each other."""
        for site, other in ((self.first, self.second), (self.second, self.first)):
            site.measure()
            for key, (_at, value) in site.node.broadcast.own().items():
                other.node.broadcast.receive(site.node.name, key, value)


@pytest.fixture
def pair(tmp_path: Path, pve_secrets: Path) -> Iterator[Pair]:
    first = make_site_node(tmp_path / "pve1", "pve1", pve_secrets)
    second = make_site_node(tmp_path / "pve2", "pve2", pve_secrets)
    for site in (first, second):
        for node, vmid in (("pve1", 102), ("pve2", 101)):
            text = VM.format(name=f"vm{vmid}", vmid=vmid)
            site.put(f"nodes/{node}/qemu-server/{vmid}.conf", text)
    first.disk("102/disk.raw")
    second.disk("101/disk.raw")
    with served(first) as front, ExitStack() as back:
        back.enter_context(served(second, front.port))
        with login(front.base_url, pve_secrets) as api:
            pair = Pair(first, second, api, back)
            pair.members()
            yield pair


def test_a_call_for_the_other_node_is_answered_by_it(pair: Pair) -> None:
    assert [vm["vmid"] for vm in pair.api.data("GET", "/nodes/pve2/qemu")] == [101]
    upid = pair.api.data("POST", "/nodes/pve2/qemu/101/status/start")
    assert upid.startswith("UPID:pve2:")
    assert pair.api.exit_status(upid) == "OK"
    assert list(pair.second.runtime.started_at) == [101]
    pair.api.data("PUT", "/nodes/pve2/qemu/101/config", description="from afar")
    config = (pair.second.etc_pve / "nodes/pve2/qemu-server/101.conf").read_text()
    assert "#from afar" in config


def test_refusals_of_the_other_node_are_passed_on_whole(pair: Pair) -> None:
    answer = pair.api.call("GET", "/nodes/pve2/qemu/999/config")
    text = "Configuration file 'nodes/pve2/qemu-server/999.conf' does not exist"
    assert (answer.status_code, answer.reason) == (500, text)
    assert answer.json() == {"message": f"{text}\n", "data": None}
    wrong_node = pair.api.call("GET", "/nodes/pve1/qemu/101/config")
    assert wrong_node.reason == (
        "Configuration file 'nodes/pve1/qemu-server/101.conf' does not exist"
    )


def test_permission_is_checked_before_a_call_is_passed_on(pair: Pair) -> None:
    pair.second_server.close()
    answer = pair.api.anonymous().call("GET", "/nodes/pve2/status")
    assert (answer.status_code, answer.reason) == (401, "No ticket")


def test_other_node_refuses_connections(pair: Pair) -> None:
    pair.second_server.close()
    answer = pair.api.call("GET", "/nodes/pve2/status")
    assert (answer.status_code, answer.reason) == (595, "Connection refused")
    assert answer.content == b""
    if CAPTURES.exists():
        capture = read_capture("595-refused.txt")
        assert (capture.status, capture.reason, capture.body) == (595, answer.reason, None)


@pytest.mark.parametrize(
    ("number", "reason"),
    [(errno.EHOSTUNREACH, "No route to host"), (errno.ETIMEDOUT, "Connection timed out")],
)
def test_what_the_operating_system_says_of_a_dead_node(number: int, reason: str) -> None:
    key = aiohttp.client_reqrep.ConnectionKey("h", 1, True, True, None, None, None)
    refusal = unreachable(aiohttp.ClientConnectorError(key, OSError(number, "whatever")))
    assert (refusal.status, refusal.text, refusal.has_body) == (595, reason, False)
    if CAPTURES.exists():
        recorded = read_capture("595-noroute.txt")
        down = (CAPTURES / "cluster-node-down.txt").read_text()
        assert recorded.reason == reason or f"proxy handshake: {reason} -" in down


def test_a_node_with_a_certificate_of_another_ca_is_not_trusted(pair: Pair, tmp_path: Path) -> None:
    pair.second_server.close()
    strange = make_secrets(tmp_path)
    port = int(pair.api.base_url.rpartition(":")[2])
    impostor = Served(
        lambda chosen: make_app(pair.second.node, Forwarder(strange / "ca.crt", chosen)),
        LOOPBACK["pve2"],
        (strange / "pve2.crt", strange / "pve2.key"),
        port,
    )
    with impostor:
        answer = pair.api.call("GET", "/nodes/pve2/status")
    assert (answer.status_code, answer.content) == (596, b"")
    assert answer.reason == "error:0A000086:SSL routines::certificate verify failed"
    if CAPTURES.exists():
        assert read_capture("596-tls.txt").reason == answer.reason


def test_certificate_names_the_node_and_its_address(pair: Pair) -> None:
    if not CAPTURES.exists():
        pytest.skip(ABSENT)
    assert "IP Address:" in (CAPTURES / "cert.txt").read_text()
    pem = pair.first.node.layout.certificate("pve1").read_bytes()
    names = x509.load_pem_x509_certificate(pem).extensions.get_extension_for_class(
        x509.SubjectAlternativeName
    )
    assert "pve1" in names.value.get_values_for_type(x509.DNSName)
    addresses = names.value.get_values_for_type(x509.IPAddress)
    assert [str(address) for address in addresses] == [LOOPBACK["pve1"]]


def test_dead_node_keeps_a_stale_face(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """Recorded in ``cluster-node-down.txt``."""
    pair.second.runtime.start(101)
    pair.gossip()
    assert _status(pair)["qemu/101"] == "running"
    pair.members(online=False, quorate=False)

    nodes = {node["node"]: node for node in pair.api.data("GET", "/nodes")}
    assert nodes["pve2"]["status"] == "offline"
    assert not {"cpu", "mem", "uptime", "disk"} & set(nodes["pve2"])
    assert {"maxcpu", "maxmem", "maxdisk", "ssl_fingerprint"} <= set(nodes["pve2"])
    assert {"cpu", "mem", "uptime"} <= set(nodes["pve1"])
    assert _status(pair)["qemu/101"] == "running"
    cluster = pair.api.data("GET", "/cluster/status")
    assert (cluster[0]["type"], cluster[0]["quorate"]) == ("cluster", 0)
    assert {e["name"]: e["online"] for e in cluster[1:]} == {"pve1": 1, "pve2": 0}

    monkeypatch.setattr(broadcast, "EXPIRES_S", 0)
    entries = pair.api.data("GET", "/cluster/resources", type="vm")
    ghost = next(entry for entry in entries if entry["id"] == "qemu/101")
    assert ghost["status"] == "unknown"
    assert "name" not in ghost


def _status(pair: Pair) -> dict[str, str]:
    return {e["id"]: e["status"] for e in pair.api.data("GET", "/cluster/resources")}


def test_dead_node_has_the_keys_that_were_recorded(pair: Pair) -> None:
    path = CAPTURES / "cluster-node-down.txt"
    if not path.exists():
        pytest.skip(ABSENT)
    line = next(line for line in path.read_text().splitlines() if line.startswith("## nodes ["))
    recorded = {node["node"]: set(node) for node in json.loads(line.removeprefix("## nodes "))}
    pair.gossip()
    pair.members(online=False, quorate=False)
    ours = {node["node"]: set(node) for node in pair.api.data("GET", "/nodes")}
    assert ours == recorded


def test_without_quorum_nothing_starts_and_nothing_is_written(pair: Pair) -> None:
    pair.members(online=False, quorate=False)
    guest = "/nodes/pve1/qemu/102"
    start = pair.api.call("POST", f"{guest}/status/start")
    assert (start.status_code, start.reason) == (500, "cluster not ready - no quorum?")
    put = pair.api.call("PUT", f"{guest}/config", description="lost")
    assert put.status_code == 500
    assert put.reason.startswith("unable to open file '")
    assert put.reason.endswith("' - Permission denied")
    assert "/nodes/pve1/qemu-server/102.conf.tmp." in put.reason
    assert "description" not in pair.api.data("GET", f"{guest}/config")
    if CAPTURES.exists():
        recording = (CAPTURES / "cluster-node-down.txt").read_text()
        assert f"500 Internal Server Error: {start.reason}'" in recording
        assert "qemu-server/102.conf.tmp.133' - Permission denied" in recording


def test_tasks_of_the_whole_cluster(pair: Pair) -> None:
    there = pair.api.data("POST", "/nodes/pve2/qemu/101/status/start")
    here = pair.api.data("POST", "/nodes/pve1/qemu/102/status/start")
    for upid in (there, here):
        assert pair.api.exit_status(upid) == "OK"
    pair.gossip()
    assert {task["upid"] for task in pair.api.data("GET", "/cluster/tasks")} == {there, here}
