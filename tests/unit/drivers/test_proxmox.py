"""Guests, tasks and quorum against recorded answers of the genuine API."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import pytest

from blackstart.drivers.clock import SystemClock
from blackstart.drivers.proxmox import ProxmoxCluster, ProxmoxGuests
from blackstart.drivers.proxmox_api import ProxmoxApi, Token
from blackstart.errors import Rejected, TimedOut, Unreachable
from blackstart.model.inventory import Guest

from .captures import data, from_log, needs_captures, replay
from .tls_server import Asked, Authority, Reply, Server, serving

BASE = "GET /api2/json"
VM = f"{BASE}/nodes/pve1/qemu/100"
AGENT = {
    "result": [
        {
            "name": "lo",
            "hardware-address": "00:00:00:00:00:00",
            "ip-addresses": [{"ip-address": "127.0.0.1", "ip-address-type": "ipv4", "prefix": 8}],
        },
        {
            "name": "eth0",
            "hardware-address": "BC:24:11:75:39:4C",
            "ip-addresses": [
                {"ip-address": "10.98.0.50", "ip-address-type": "ipv4", "prefix": 24},
                {"ip-address": "fe80::1", "ip-address-type": "ipv6", "prefix": 64},
            ],
        },
        {"name": "veth12", "hardware-address": "02:00:00:00:00:01"},
    ]
}


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """A CA of the site."""
    return Authority.make(tmp_path)


@pytest.fixture
def node(authority: Authority, tmp_path: Path) -> Iterator[Server]:
    """The API of pve1."""
    with serving(authority.issue(tmp_path, "127.0.0.1")) as server:
        yield server


@pytest.fixture
def api(node: Server, authority: Authority) -> Iterator[ProxmoxApi]:
    """A client of it."""
    token = Token("drill@pve", "t1", "0000")
    made = ProxmoxApi({"pve1": "127.0.0.1"}, token=token, ca=authority.ca, port=node.port)
    yield made
    made.close()


def guest(vmid: int = 100, kind: str = "qemu", node: str = "pve1") -> Guest:
    """A declared guest."""
    return Guest.model_validate(
        {
            "vmid": vmid,
            "kind": kind,
            "node": node,
            "address": IPv4Address("10.98.0.50"),
            "mac": "bc:24:11:75:39:4c",
        }
    )


def guests(api: ProxmoxApi, **declared: Guest) -> ProxmoxGuests:
    """The driver for some declared guests."""
    return ProxmoxGuests(api, declared, SystemClock())


def resources(*entries: dict[str, Any]) -> Reply:
    """``cluster/resources`` with pve1 online and these entries."""
    return data([{"type": "node", "node": "pve1", "status": "online"}, *entries])


@needs_captures
def test_a_running_vm_is_read_from_recorded_answers(node: Server, api: ProxmoxApi) -> None:
    node.answers |= {
        f"{BASE}/cluster/resources": replay("200-resources"),
        f"{VM}/status/current": replay("200-status-current"),
        f"{VM}/config": replay("200-config"),
        f"{VM}/agent/network-get-interfaces": data(AGENT),
    }
    facts = guests(api, web=guest()).observe()["web"]
    assert (facts.node.value, facts.status.value) == ("pve1", "running")
    assert facts.onboot.value is False
    assert facts.config.value is not None
    assert facts.config.value["memory"] == "256"
    assert facts.config.value["cores"] == "2"
    assert "digest" not in facts.config.value
    assert facts.booted.value is True
    assert facts.interfaces.value == {"bc:24:11:75:39:4c": ("10.98.0.50",)}
    assert facts.status.source == "api GET nodes/pve1/qemu/100/status/current"
    assert {line.split()[0] for line in node.lines()} == {"GET"}


@needs_captures
def test_a_token_that_sees_nothing_proves_nothing(node: Server, api: ProxmoxApi) -> None:
    node.answers |= {
        f"{BASE}/cluster/resources": replay("200-token-resources"),
        f"{VM}/status/current": replay("403-config"),
        f"{VM}/config": replay("403-config"),
        f"{VM}/agent/network-get-interfaces": replay("403-config"),
    }
    facts = guests(api, web=guest()).observe()["web"]
    assert not facts.node.known
    assert "the token may not see it" in str(facts.node.error)
    for fact in (facts.status, facts.config, facts.onboot, facts.booted, facts.interfaces):
        assert fact.value is None
        assert "403 Permission check failed (/vms/100, VM.Audit)" in str(fact.error)


def test_an_empty_list_proves_nothing(node: Server, api: ProxmoxApi) -> None:
    node.answers[f"{BASE}/cluster/resources"] = data([])
    facts = guests(api, web=guest()).observe()["web"]
    assert facts.status.value is None
    assert "names no node pve1" in str(facts.status.error)


def test_a_guest_missing_from_the_list_is_asked_for_on_its_declared_node(
    node: Server, api: ProxmoxApi
) -> None:
    node.answers |= {
        f"{BASE}/cluster/resources": resources(),
        f"{VM}/status/current": data({"status": "stopped"}),
        f"{VM}/config": data({"onboot": 1}),
        f"{VM}/agent/network-get-interfaces": Reply(500, "VM 100 is not running"),
    }
    facts = guests(api, web=guest()).observe()["web"]
    assert (facts.node.value, facts.status.value, facts.onboot.value) == ("pve1", "stopped", True)


@needs_captures
def test_a_guest_that_does_not_exist_is_unknown_with_the_vendors_words(
    node: Server, api: ProxmoxApi
) -> None:
    node.answers[f"{BASE}/cluster/resources"] = resources()
    for what in ("status/current", "config", "agent/network-get-interfaces"):
        node.answers[f"{BASE}/nodes/pve1/qemu/999/{what}"] = replay("500-missing-vm")
    facts = guests(api, ghost=guest(999)).observe()["ghost"]
    assert "does not exist" in str(facts.status.error)
    assert facts.booted.value is None


@needs_captures
def test_a_dead_nodes_stale_running_is_not_believed(node: Server, api: ProxmoxApi) -> None:
    shown = from_log("cluster-node-down", "resources")
    assert {"running"} == {item["status"] for item in shown if item.get("vmid") == 101}
    node.answers[f"{BASE}/cluster/resources"] = data(shown)
    facts = guests(api, gone=guest(101, node="pve2")).observe()["gone"]
    for fact in (facts.node, facts.status, facts.booted, facts.interfaces):
        assert fact.value is None
        assert "pve2 is offline" in str(fact.error)
    assert len(node.asked) == 1


@needs_captures
def test_a_node_that_cannot_be_reached_is_asked_once_per_snapshot(
    node: Server, api: ProxmoxApi
) -> None:
    entry = {"type": "qemu", "vmid": 100, "node": "pve1", "status": "running"}
    node.answers[f"{BASE}/cluster/resources"] = resources(entry)
    node.answers[f"{VM}/status/current"] = replay("595-noroute")
    facts = guests(api, web=guest()).observe()["web"]
    assert facts.node.value == "pve1"
    assert facts.status.error == facts.config.error == "via pve1: 595 No route to host"
    assert len(node.asked) == 2


def test_an_api_that_is_gone_leaves_everything_unknown(node: Server, api: ProxmoxApi) -> None:
    node.answers[f"{BASE}/cluster/resources"] = Reply(595, "Connection refused")
    facts = guests(api, a=guest(), b=guest(101)).observe()
    assert {str(facts[name].status.error) for name in "ab"} == {"via pve1: 595 Connection refused"}
    assert len(node.asked) == 1


@pytest.mark.parametrize(
    ("reply", "booted"),
    [
        (Reply(500, "QEMU guest agent is not running"), False),
        (Reply(500, "VM 100 is not running"), False),
        (Reply(500, "No QEMU guest agent configured"), None),
        (Reply(403, "Permission check failed (/vms/100, VM.GuestAgent.Audit)"), None),
        (
            Reply(500, "VM 100 qmp command 'guest-network-get-interfaces' failed - got timeout"),
            False,
        ),
    ],
)
def test_booted_is_false_only_when_the_guest_is_known_not_to_answer(
    reply: Reply, booted: bool | None, node: Server, api: ProxmoxApi
) -> None:
    node.answers |= {
        f"{BASE}/cluster/resources": resources(),
        f"{VM}/status/current": data({"status": "running"}),
        f"{VM}/config": data({}),
        f"{VM}/agent/network-get-interfaces": reply,
    }
    facts = guests(api, web=guest()).observe()["web"]
    assert facts.booted.value is booted
    assert facts.interfaces.value is None


@pytest.mark.parametrize(
    ("status", "interfaces", "booted"),
    [
        ("running", [{"name": "eth0", "hwaddr": "BC:24:11:75:39:4C", "inet": "10.0.0.9/24"}], True),
        ("running", [{"name": "eth0", "hardware-address": "bc:24:11:75:39:4c"}], False),
        ("stopped", None, False),
    ],
)
def test_a_container_has_booted_when_it_has_an_address(
    status: str, interfaces: object, booted: bool, node: Server, api: ProxmoxApi
) -> None:
    path = f"{BASE}/nodes/pve1/lxc/103"
    node.answers |= {
        f"{BASE}/cluster/resources": resources({"type": "lxc", "vmid": 103, "node": "pve1"}),
        f"{path}/status/current": data({"status": status}),
        f"{path}/config": data({"onboot": 1}),
        f"{path}/interfaces": data(interfaces),
    }
    facts = guests(api, dns2=guest(103, "lxc")).observe()["dns2"]
    assert facts.booted.value is booted


class TestTasks:
    """A POST that was accepted is no success."""

    UPID = "UPID:pve1:000000BA:00056991:6B005745:qmstop:100:root@pam:"

    @pytest.fixture(autouse=True)
    def accepted(self, node: Server) -> None:
        node.answers[f"{BASE}/cluster/resources"] = resources()
        for act in ("start", "stop", "shutdown"):
            path = f"POST /api2/json/nodes/pve1/qemu/100/status/{act}"
            node.answers[path] = data(self.UPID)

    def ends(self, node: Server, *replies: Reply) -> None:
        """The task's status: these answers in turn, the last one for ever."""
        left = list(replies)

        def answer(_: Asked) -> Reply:
            return left.pop(0) if len(left) > 1 else left[0]

        node.answers[f"{BASE}/nodes/pve1/tasks/{self.UPID}/status"] = answer

    @needs_captures
    def test_it_waits_for_the_exit_status(self, node: Server, api: ProxmoxApi) -> None:
        self.ends(node, replay("200-task-status-running"), replay("200-task-status-ok"))
        assert guests(api, web=guest()).stop("web", timeout_s=10) == "OK"

    @needs_captures
    def test_a_failed_task_is_rejected_in_its_own_words(
        self, node: Server, api: ProxmoxApi
    ) -> None:
        self.ends(node, replay("200-task-status-failed"))
        with pytest.raises(Rejected, match=r"web: start failed: VM 100 already running"):
            guests(api, web=guest()).start("web", timeout_s=10)

    def test_warnings_are_a_success(self, node: Server, api: ProxmoxApi) -> None:
        self.ends(node, data({"status": "stopped", "exitstatus": "WARNINGS: 1"}))
        assert guests(api, web=guest()).start("web", timeout_s=10) == "WARNINGS: 1"

    def test_a_node_that_is_gone_for_a_moment_keeps_the_task(
        self, node: Server, api: ProxmoxApi
    ) -> None:
        gone = Reply(595, "Connection refused")
        self.ends(node, gone, gone, data({"status": "stopped", "exitstatus": "OK"}))
        assert guests(api, web=guest()).start("web", timeout_s=10) == "OK"

    def test_a_task_that_does_not_end_is_bounded(self, node: Server, api: ProxmoxApi) -> None:
        self.ends(node, data({"status": "running"}))
        with pytest.raises(TimedOut, match=self.UPID):
            guests(api, web=guest()).start("web", timeout_s=1)

    def test_a_shutdown_gives_the_guest_its_time(self, node: Server, api: ProxmoxApi) -> None:
        self.ends(node, data({"status": "stopped", "exitstatus": "OK"}))
        guests(api, web=guest()).shutdown("web", timeout_s=30)
        (posted,) = [asked for asked in node.asked if asked.method == "POST"]
        assert posted.body == b"timeout=28"

    def test_a_guest_that_nobody_declared_is_never_touched(
        self, node: Server, api: ProxmoxApi
    ) -> None:
        with pytest.raises(Rejected, match="no such guest in the inventory"):
            guests(api, web=guest()).stop("other", timeout_s=5)
        assert node.asked == []


@pytest.mark.parametrize(
    ("tasks", "finished"),
    [
        ([], False),
        ([{"type": "startall", "starttime": 100, "endtime": 140, "status": "OK"}], False),
        ([{"type": "startall", "starttime": 300}], False),
        ([{"type": "startall", "starttime": 300, "endtime": 340, "status": "OK"}], True),
        ([{"type": "qmstart", "starttime": 300, "endtime": 340, "status": "OK"}], False),
    ],
)
def test_starts_are_finished_when_a_new_startall_has_ended(
    tasks: list[object], finished: bool, node: Server, api: ProxmoxApi
) -> None:
    node.answers[f"{BASE}/nodes/pve1/tasks"] = data(tasks)
    assert guests(api).starts_finished("pve1", 200.0) is finished
    assert "typefilter=startall" in node.lines()[0]


def test_status_comes_from_the_node_itself(node: Server, api: ProxmoxApi) -> None:
    stale = {"type": "qemu", "vmid": 100, "node": "pve1", "status": "running"}
    node.answers[f"{BASE}/cluster/resources"] = resources(stale)
    node.answers[f"{VM}/status/current"] = data({"status": "stopped"})
    assert guests(api, web=guest()).status("web") == "stopped"


def test_status_of_a_guest_on_a_dead_node_is_unreachable(node: Server, api: ProxmoxApi) -> None:
    node.answers[f"{BASE}/cluster/resources"] = data(
        [{"type": "node", "node": "pve1", "status": "offline"}]
    )
    with pytest.raises(Unreachable, match="pve1 is offline"):
        guests(api, web=guest()).status("web")


class TestCluster:
    """Quorum and membership."""

    PATH = f"{BASE}/cluster/status"

    @needs_captures
    def test_half_a_cluster_has_no_quorum(self, node: Server, api: ProxmoxApi) -> None:
        node.answers[self.PATH] = data(from_log("cluster-node-down", "cluster status"))
        cluster = ProxmoxCluster(api)
        assert cluster.quorate().value is False
        assert cluster.online().value == ("pve1",)

    @needs_captures
    def test_a_node_without_a_cluster_is_its_own_quorum(
        self, node: Server, api: ProxmoxApi
    ) -> None:
        node.answers[self.PATH] = replay("200-cluster-status")
        assert ProxmoxCluster(api).quorate().value is True

    def test_an_empty_answer_is_no_answer(self, node: Server, api: ProxmoxApi) -> None:
        node.answers[self.PATH] = data([])
        assert ProxmoxCluster(api).quorate().value is None
        assert ProxmoxCluster(api).online().error == "the answer names no node"

    def test_a_refusal_is_told(self, node: Server, api: ProxmoxApi) -> None:
        node.answers[self.PATH] = Reply(403, "Permission check failed (/, Sys.Audit)")
        assert ProxmoxCluster(api).quorate().error == "403 Permission check failed (/, Sys.Audit)"
