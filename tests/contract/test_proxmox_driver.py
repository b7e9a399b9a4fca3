"""Our Proxmox driver against the stand-in on loopback: one's answers are the other's food."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from blackstart.drivers.clock import SystemClock
from blackstart.drivers.proxmox import ProxmoxGuests
from blackstart.drivers.proxmox_api import ProxmoxApi, parse_token
from blackstart.drivers.proxmox_cluster import ProxmoxCluster
from blackstart.errors import Rejected
from blackstart.model.facts import GuestFacts
from blackstart.model.inventory import Guest
from blackstart.rack.standins.pve.allguests import start_all
from blackstart.rack.standins.pve.shipping import BLIND_TOKEN, FULL_TOKEN, blind_token_value
from blackstart.rack.standins.pve.tasks import Task
from tests.contract.pve_client import Api
from tests.contract.pve_site import SiteNode, members_file

VM = """\
agent: 1
memory: 256
name: web
net0: virtio=BC:24:11:75:39:4C,bridge=vmbr0
onboot: 1
scsi0: local:100/vm-100-disk-1.raw,size=1G
"""
CT = "hostname: dns2\nnet0: name=eth0,bridge=vmbr0,hwaddr=BC:24:11:75:39:4C,ip=dhcp\n"


def declared(vmid: int, kind: str) -> Guest:
    """A guest as an inventory declares it."""
    return Guest.model_validate(
        {
            "vmid": vmid,
            "kind": kind,
            "node": "pve1",
            "address": "10.98.0.50",
            "mac": "bc:24:11:75:39:4c",
        }
    )


GUESTS = {
    "web": declared(100, "qemu"),
    "dns2": declared(103, "lxc"),
    "ghost": declared(999, "qemu"),
}


@pytest.fixture
def node(site: SiteNode, api: Api) -> SiteNode:
    """A node of a quorate cluster with a running guest of each kind; ``api`` serves it."""
    site.guest(100, VM, running=True)
    site.disk("100/vm-100-disk-1.raw")
    site.guest(103, CT, "lxc", running=True)
    site.put(".members", members_file({"pve1": True, "pve2": False}, "pve1"))
    site.measure()
    return site


def driver(node: SiteNode, secrets: Path, token: str) -> ProxmoxApi:
    """Our client of it."""
    port = int(node.base_url.rsplit(":", 1)[1])
    parsed = parse_token(token)
    return ProxmoxApi({"pve1": "127.0.0.1"}, token=parsed, ca=secrets / "ca.crt", port=port)


@pytest.fixture
def full(node: SiteNode, pve_secrets: Path) -> Iterator[ProxmoxApi]:
    """With the token that sees everything."""
    token = (pve_secrets / "pve-token").read_text()
    made = driver(node, pve_secrets, f"{FULL_TOKEN}={token}")
    yield made
    made.close()


@pytest.fixture
def blind(node: SiteNode, pve_secrets: Path) -> Iterator[ProxmoxApi]:
    """With the token that sees nothing."""
    made = driver(node, pve_secrets, f"{BLIND_TOKEN}={blind_token_value(pve_secrets)}")
    yield made
    made.close()


def guests(api: ProxmoxApi) -> ProxmoxGuests:
    """The driver for the declared guests."""
    return ProxmoxGuests(api, GUESTS, SystemClock())


@pytest.mark.parametrize("name", ["web", "dns2"])
def test_every_fact_of_a_running_guest_is_known(name: str, full: ProxmoxApi) -> None:
    facts = guests(full).observe()[name]
    unknown = [part for part in GuestFacts.model_fields if not getattr(facts, part).known]
    assert unknown == []
    assert (facts.node.value, facts.status.value, facts.booted.value) == ("pve1", "running", True)
    assert facts.interfaces.value == {"bc:24:11:75:39:4c": ("10.98.0.50",)}
    assert facts.onboot.value is (name == "web")


def test_a_guest_whose_agent_is_silent_has_not_booted(full: ProxmoxApi, node: SiteNode) -> None:
    node.runtime.silent.add(100)
    facts = guests(full).observe()["web"]
    assert (facts.status.value, facts.booted.value) == ("running", False)


def test_a_guest_that_is_not_there_is_unknown(full: ProxmoxApi) -> None:
    facts = guests(full).observe()["ghost"]
    assert facts.status.value is None
    assert "999.conf' does not exist" in str(facts.status.error)


def test_a_blind_token_leaves_everything_unknown(blind: ProxmoxApi) -> None:
    for facts in guests(blind).observe().values():
        assert [part for part in GuestFacts.model_fields if getattr(facts, part).known] == []


def test_stop_and_start_wait_for_their_tasks(full: ProxmoxApi) -> None:
    control = guests(full)
    for name in ("web", "dns2"):
        assert control.stop(name, timeout_s=20) == "OK"
        assert control.status(name) == "stopped"
    facts = control.observe()
    assert (facts["web"].booted.value, facts["dns2"].booted.value) == (False, False)
    assert control.start("web", timeout_s=20).startswith(("OK", "WARNINGS"))
    assert control.status("web") == "running"


def test_a_start_that_fails_tells_why(full: ProxmoxApi, node: SiteNode) -> None:
    control = guests(full)
    control.stop("web", timeout_s=20)
    (node.store / "images" / "100" / "vm-100-disk-1.raw").unlink()
    with pytest.raises(Rejected, match=r"volume 'local:100/vm-100-disk-1.raw' does not exist"):
        control.start("web", timeout_s=20)


def test_a_guest_that_ignores_its_shutdown_is_told(full: ProxmoxApi, node: SiteNode) -> None:
    node.runtime.deaf.add(100)
    with pytest.raises(Rejected, match="web: shutdown failed: VM quit/powerdown failed"):
        guests(full).shutdown("web", timeout_s=20)


def test_the_start_of_all_guests_has_an_end(full: ProxmoxApi, node: SiteNode) -> None:
    began = time.time() - 1
    assert not guests(full).starts_finished("pve1", began)
    node.node.tasks.run("startall", "", "root@pam", start_all(node.node))
    assert guests(full).starts_finished("pve1", began)
    assert not guests(full).starts_finished("pve1", began + 3600)


def test_quorum_and_members(full: ProxmoxApi, node: SiteNode) -> None:
    cluster = ProxmoxCluster(full)
    assert (cluster.quorate().value, cluster.online().value) == (True, ("pve1",))
    node.put(".members", members_file({"pve1": True, "pve2": False}, "pve1", quorate=False))
    assert cluster.quorate().value is False


class TestWhatGuardsAsk:
    """Tasks, stores, high availability and memory, of a token that sees and one that does not."""

    @pytest.fixture(autouse=True)
    def whole(self, node: SiteNode) -> None:
        node.put(".members", members_file({"pve1": True}, "pve1"))

    def test_a_node_that_is_away_leaves_them_unknown(
        self, full: ProxmoxApi, node: SiteNode
    ) -> None:
        node.put(".members", members_file({"pve1": True, "pve2": False}, "pve1"))
        cluster = ProxmoxCluster(full)
        assert cluster.tasks().error == "pve2 is offline in cluster/status"
        assert cluster.stores().error == "pve2 is offline in cluster/status"

    def test_a_healthy_site_is_wholly_known(self, full: ProxmoxApi) -> None:
        cluster = ProxmoxCluster(full)
        assert cluster.tasks().value == ()
        stores = cluster.stores().value
        assert stores is not None
        assert {(store.name, store.active) for store in stores} >= {("local", True)}
        ha = cluster.high_availability().value
        assert ha is not None
        assert (ha.managed, ha.disarmed) == ((), False)
        memory = cluster.memory().value
        assert memory is not None
        assert memory.nodes["pve1"].total > memory.nodes["pve1"].used > 0
        assert memory.guests["vm:100"] == 256 * 2**20

    def test_a_task_under_way_is_seen(self, full: ProxmoxApi, node: SiteNode) -> None:
        begun, go_on = threading.Event(), threading.Event()

        def work(_: Task) -> None:
            begun.set()
            go_on.wait(30)

        upid = node.node.tasks.spawn("vzdump", "100", "root@pam", work)
        assert begun.wait(10)
        seen = ProxmoxCluster(full).tasks()
        go_on.set()
        assert seen.value is not None, seen.error
        assert [(task.kind, task.subject) for task in seen.value] == [("vzdump", "100")]
        assert upid

    def test_a_blind_token_proves_nothing(self, blind: ProxmoxApi) -> None:
        cluster = ProxmoxCluster(blind)
        for seen in (
            cluster.tasks(),
            cluster.stores(),
            cluster.high_availability(),
            cluster.memory(),
        ):
            assert seen.value is None
            assert seen.error
