"""Guests against recorded answers of the genuine API: what is known, and what proves nothing."""

from __future__ import annotations

import pytest

from blackstart.drivers.proxmox_api import ProxmoxApi

from .captures import data, from_log, needs_captures, replay
from .proxmox_guests import BASE, VM, guest, guests, resources
from .tls_server import Reply, Server

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
    said = str(facts.status.error)
    assert "names no node pve1: the token may not see it (Sys.Audit on /nodes/pve1), or" in said
    assert "give a node that stands alone an inventory of its own" in said


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
        ("running", [{"name": "eth0", "hwaddr": "BC:24:11:75:39:4C", "inet": None}], False),
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


CARD = {"name": "eth0", "hardware-address": "BC:24:11:75:39:4C"}


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"result": {"error": {"class": "GenericError"}}},
        {"result": ["eth0"]},
        {"result": [{**CARD, "ip-addresses": ["10.98.0.50"]}]},
        {"result": [{**CARD, "ip-addresses": {"ip-address": "10.98.0.50"}}]},
        {"result": [{**CARD, "ip-addresses": 7}]},
    ],
)
def test_whoever_is_root_in_one_guest_hides_no_other(
    answer: object, node: Server, api: ProxmoxApi
) -> None:
    """An agent may say what it likes; it costs the facts of its own guest."""
    for vmid, said in ((100, answer), (101, AGENT)):
        path = f"{BASE}/nodes/pve1/qemu/{vmid}"
        node.answers |= {
            f"{path}/status/current": data({"status": "running"}),
            f"{path}/config": data({"onboot": 1}),
            f"{path}/agent/network-get-interfaces": data(said),
        }
    node.answers[f"{BASE}/cluster/resources"] = resources()
    facts = guests(api, web=guest(), good=guest(101)).observe()
    assert (facts["web"].booted.value, facts["web"].interfaces.value) == (None, None)
    assert facts["web"].interfaces.error
    assert facts["web"].status.value == "running"
    assert facts["good"].booted.value is True


@pytest.mark.parametrize(
    ("name", "own"),
    [("br-lan", True), ("br-0123456789ab", False), ("docker0", False), ("docker_gwbridge", False)],
)
def test_a_bridge_of_the_guests_own_is_no_container_engines(
    name: str, own: bool, node: Server, api: ProxmoxApi
) -> None:
    """A router has its address on ``br-lan``, with its card's MAC."""
    address = {"ip-address": "192.0.2.1", "ip-address-type": "ipv4"}
    inside = [{**CARD, "ip-addresses": []}, {**CARD, "name": name, "ip-addresses": [address]}]
    node.answers |= {
        f"{BASE}/cluster/resources": resources(),
        f"{VM}/agent/network-get-interfaces": data({"result": inside}),
    }
    seen = guests(api, web=guest()).observe()["web"].interfaces.value
    assert seen is not None
    assert bool(seen[CARD["hardware-address"].lower()]) is own


def test_an_address_that_is_null_is_none(node: Server, api: ProxmoxApi) -> None:
    nothing = {**CARD, "ip-addresses": [{"ip-address": None, "ip-address-type": "ipv4"}]}
    node.answers |= {
        f"{BASE}/cluster/resources": resources(),
        f"{VM}/agent/network-get-interfaces": data({"result": [nothing]}),
    }
    facts = guests(api, web=guest()).observe()["web"]
    assert facts.interfaces.value == {"bc:24:11:75:39:4c": ()}


@pytest.mark.parametrize("entry", [{"type": "qemu", "vmid": "x", "node": "pve1"}, {"type": []}])
def test_a_list_that_is_not_understood_is_unknown(
    entry: dict[str, object], node: Server, api: ProxmoxApi
) -> None:
    node.answers[f"{BASE}/cluster/resources"] = data([{"type": "node", "node": [1]}, entry])
    facts = guests(api, web=guest()).observe()["web"]
    assert facts.status.value is None
    assert facts.status.error
