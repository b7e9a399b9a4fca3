"""Tasks, single answers and quorum against recorded answers of the genuine API."""

from __future__ import annotations

import pytest

from blackstart.drivers.proxmox_api import ProxmoxApi
from blackstart.drivers.proxmox_cluster import ProxmoxCluster
from blackstart.errors import Rejected, TimedOut, Unreachable
from blackstart.model.circumstances import Vitals

from .captures import data, from_log, needs_captures, replay
from .proxmox_guests import BASE, VM, guest, guests, resources
from .tls_server import Asked, Reply, Server


class TestTasks:
    """A POST that was accepted is no success."""

    UPID = "UPID:pve1:000000BA:00056991:6B005745:qmstop:100:root@pam:"

    @pytest.fixture(autouse=True)
    def accepted(self, node: Server) -> None:
        node.answers[f"{BASE}/cluster/resources"] = resources()
        for act in ("start", "stop", "shutdown", "reboot"):
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

    def test_a_reboot_is_bounded_by_the_hypervisor_as_well(
        self, node: Server, api: ProxmoxApi
    ) -> None:
        self.ends(node, data({"status": "stopped", "exitstatus": "OK"}))
        assert guests(api, web=guest()).reboot("web", timeout_s=10) == "OK"
        (asked,) = (item for item in node.asked if item.path.endswith("/status/reboot"))
        assert asked.body == b"timeout=8"

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
        said = ProxmoxCluster(api).quorate().error or ""
        assert said.startswith("403 Permission check failed (/, Sys.Audit): pveum acl modify / ")


class TestVitals:
    """Uptime and memory, as the guest's node has them."""

    @pytest.fixture(autouse=True)
    def placed(self, node: Server) -> None:
        running = {"type": "qemu", "vmid": 100, "node": "pve1", "status": "running"}
        node.answers[f"{BASE}/cluster/resources"] = resources(running)

    @needs_captures
    def test_a_recorded_answer(self, node: Server, api: ProxmoxApi) -> None:
        node.answers[f"{VM}/status/current"] = replay("200-status-current")
        seen = guests(api, web=guest()).vitals("web")
        assert seen.running or (seen.uptime_s, seen.memory) == (0.0, 0)

    def test_of_one_that_runs_and_one_that_is_off(self, node: Server, api: ProxmoxApi) -> None:
        shown = {"status": "running", "uptime": 41, "mem": 4096}
        node.answers[f"{VM}/status/current"] = data(shown)
        assert guests(api, web=guest()).vitals("web") == Vitals(
            running=True, uptime_s=41.0, memory=4096
        )
        node.answers[f"{VM}/status/current"] = data({"status": "stopped"})
        assert not guests(api, web=guest()).vitals("web").running

    @pytest.mark.parametrize("shown", [{}, {"uptime": 1}, {"mem": 1}, {"uptime": "x", "mem": 1}])
    def test_one_that_runs_and_shows_none_is_an_error(
        self, node: Server, api: ProxmoxApi, shown: dict[str, object]
    ) -> None:
        node.answers[f"{VM}/status/current"] = data({"status": "running", **shown})
        with pytest.raises(Rejected, match="web: a running guest without uptime or mem"):
            guests(api, web=guest()).vitals("web")
