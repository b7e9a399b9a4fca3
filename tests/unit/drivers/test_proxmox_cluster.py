"""What the cluster does and has, against recorded answers; and what proves nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from blackstart.drivers.clock import SystemClock
from blackstart.drivers.proxmox_api import ProxmoxApi, Token
from blackstart.drivers.proxmox_cluster import ProxmoxCluster
from blackstart.drivers.proxmox_look import ProxmoxLook

from .captures import data, needs_captures, replay
from .proxmox_guests import BASE
from .tls_server import Authority, Reply, Server

STATUS = f"{BASE}/cluster/status"
TASKS = f"{BASE}/cluster/tasks"
RIGHTS = f"{BASE}/access/permissions"
HA = f"{BASE}/cluster/ha/status/current"
ONE_NODE = data([{"type": "node", "name": "pve1", "online": 1}])
QUORUM = {"type": "quorum", "node": "pve1", "quorate": 1, "status": "OK"}
FORBIDDEN = Reply(403, "Permission check failed (/, Sys.Audit)")


def may(path: str, *privileges: str) -> Reply:
    """``access/permissions`` of a token with these."""
    return data({path: dict.fromkeys(privileges, 1)})


def running(**fields: Any) -> dict[str, Any]:
    """A task of ``cluster/tasks`` without an end."""
    return {
        "upid": "UPID:pve1:1:2:3:vzdump:100:root@pam:",
        "node": "pve1",
        "type": "vzdump",
        "id": "100",
        "user": "root@pam",
        "starttime": 1795184438,
        **fields,
    }


class TestTasks:
    """A task without an end is under way; a list that is filtered shows nothing by itself."""

    @pytest.fixture(autouse=True)
    def auditor(self, node: Server) -> None:
        node.answers |= {STATUS: ONE_NODE, RIGHTS: may("/nodes/pve1", "Sys.Audit")}

    @needs_captures
    def test_recorded_tasks_have_all_ended(self, node: Server, api: ProxmoxApi) -> None:
        node.answers[TASKS] = replay("200-cluster-tasks")
        seen = ProxmoxCluster(api).tasks()
        assert (seen.value, seen.error) == ((), None)

    def test_one_that_runs(self, node: Server, api: ProxmoxApi) -> None:
        ended = running(type="qmstart", endtime=1795184440, status="OK")
        node.answers[TASKS] = data([running(), ended, running(type="imgcopy", id="")])
        value = ProxmoxCluster(api).tasks().value
        assert value is not None
        assert [(task.kind, task.subject) for task in value] == [("vzdump", "100"), ("imgcopy", "")]

    @pytest.mark.parametrize(
        "rights",
        [
            data({}),
            data({"/nodes/pve1": {}}),
            data({"/nodes/pve1": []}),
            may("/nodes/pve1", "Sys.Modify"),
            may("/nodes/pve2", "Sys.Audit"),
        ],
    )
    def test_an_empty_list_proves_nothing_to_a_token_that_may_not_see(
        self, node: Server, api: ProxmoxApi, rights: Reply
    ) -> None:
        node.answers |= {TASKS: data([]), RIGHTS: rights}
        seen = ProxmoxCluster(api).tasks()
        assert seen.value is None
        assert "it needs Sys.Audit on /nodes/pve1 (PVEAuditor)" in str(seen.error)

    @needs_captures
    def test_recorded_permissions_of_a_token_without_any(
        self, node: Server, api: ProxmoxApi
    ) -> None:
        node.answers |= {TASKS: data([]), RIGHTS: replay("200-token-permissions")}
        assert ProxmoxCluster(api).tasks().value is None

    def test_no_node_is_no_answer(self, node: Server, api: ProxmoxApi) -> None:
        node.answers |= {TASKS: data([]), STATUS: data([])}
        assert ProxmoxCluster(api).tasks().error == "cluster/status names no node"


class TestANodeThatIsOffline:
    """Its tasks and stores are in no list, and may be anything."""

    @pytest.mark.parametrize("question", ["tasks", "stores"])
    def test_what_it_does_is_not_known(self, node: Server, api: ProxmoxApi, question: str) -> None:
        away = {"type": "node", "name": "pve2", "online": 0}
        rights = {"/nodes/pve1": {"Sys.Audit": 1}, "/storage": {"Datastore.Audit": 1}}
        node.answers |= {
            STATUS: data([{"type": "node", "name": "pve1", "online": 1}, away]),
            RIGHTS: data(rights),
            TASKS: data([]),
            f"{BASE}/nodes/pve1/storage": data([{"storage": "local", "active": 1}]),
        }
        seen = getattr(ProxmoxCluster(api), question)()
        assert (seen.value, seen.error) == (None, "pve2 is offline in cluster/status")
        node.answers[STATUS] = ONE_NODE
        assert getattr(ProxmoxCluster(api), question)().value is not None


class TestApart:
    """Two nodes that stand alone: whichever answers knows only itself."""

    SAID = (
        "pve2 in no cluster with pve1 (cluster/status); all nodes of an inventory with "
        "`api: proxmox` are one cluster, so give a node that stands alone an inventory of its own"
    )

    @pytest.fixture
    def two(self, node: Server, authority: Authority) -> Iterator[ProxmoxApi]:
        nodes = {"pve1": "127.0.0.1", "pve2": "127.0.0.1"}
        token = Token("drill@pve", "t1", "0000")
        made = ProxmoxApi(nodes, token=token, ca=authority.ca, port=node.port)
        node.answers[STATUS] = replay("200-cluster-status")
        yield made
        made.close()

    @needs_captures
    @pytest.mark.parametrize("question", ["quorate", "online", "standalone", "tasks", "stores"])
    def test_it_is_said_and_not_that_the_other_is_away(
        self, node: Server, two: ProxmoxApi, question: str
    ) -> None:
        node.answers[RIGHTS] = data({"/storage": {"Datastore.Audit": 1}})
        seen = getattr(ProxmoxCluster(two), question)()
        assert (seen.value, seen.error) == (None, self.SAID)

    @needs_captures
    def test_the_look_of_checks_knows_nothing_and_says_why(self, two: ProxmoxApi) -> None:
        found = ProxmoxLook(two, SystemClock())()
        assert (found.online.value, found.online.error) == (None, self.SAID)

    def test_a_cluster_of_others_is_told_too(self, node: Server, two: ProxmoxApi) -> None:
        members = [{"type": "node", "name": name, "online": 1} for name in ("pve1", "pve9")]
        node.answers[STATUS] = data([{"type": "cluster", "quorate": 1}, *members])
        said = str(ProxmoxCluster(two).quorate().error)
        assert said.startswith("pve2 in no cluster with pve1, pve9 (cluster/status)")


class TestStores:
    """Stores that are enabled, node by node."""

    PATH = f"{BASE}/nodes/pve1/storage"

    @pytest.fixture(autouse=True)
    def auditor(self, node: Server) -> None:
        node.answers |= {STATUS: ONE_NODE, RIGHTS: may("/storage", "Datastore.Audit")}

    @needs_captures
    def test_a_recorded_store_is_active(self, node: Server, api: ProxmoxApi) -> None:
        node.answers[self.PATH] = replay("200-storage")
        value = ProxmoxCluster(api).stores().value
        assert value is not None
        assert [(store.node, store.name, store.active) for store in value] == [
            ("pve1", "local", True)
        ]

    @pytest.mark.parametrize("fields", [{"active": 0}, {"active": False}, {}])
    def test_one_that_is_not(self, node: Server, api: ProxmoxApi, fields: dict[str, Any]) -> None:
        node.answers[self.PATH] = data([{"storage": "nas", "enabled": 1, **fields}])
        value = ProxmoxCluster(api).stores().value
        assert value is not None
        assert not value[0].active

    def test_an_empty_list_proves_nothing(self, node: Server, api: ProxmoxApi) -> None:
        node.answers[self.PATH] = data([])
        assert ProxmoxCluster(api).stores().error == "pve1: the list of its stores is empty"

    def test_a_token_that_may_not_see(self, node: Server, api: ProxmoxApi) -> None:
        node.answers |= {self.PATH: data([{"storage": "local", "active": 1}]), RIGHTS: data({})}
        assert "Datastore.Audit on /storage" in str(ProxmoxCluster(api).stores().error)


class TestHighAvailability:
    """This list is refused and not filtered, so an empty one is believed."""

    def test_nothing_managed(self, node: Server, api: ProxmoxApi) -> None:
        node.answers[HA] = data([QUORUM])
        value = ProxmoxCluster(api).high_availability().value
        assert value is not None
        assert (value.managed, value.maintenance, value.disarmed) == ((), (), False)

    def test_managed_guests_and_maintenance(self, node: Server, api: ProxmoxApi) -> None:
        service = {"type": "service", "node": "pve1", "state": "started"}
        lrm = {"type": "lrm", "node": "pve1"}
        node.answers[HA] = data(
            [
                QUORUM,
                {**lrm, "status": "pve1 (maintenance mode, Fri Nov 20 12:00:00 2026)"},
                {**lrm, "node": "pve2", "status": "pve2 (active, Fri Nov 20 12:00:00 2026)"},
                {**service, "sid": "vm:100", "request_state": "started"},
                {**service, "sid": "ct:101", "request_state": "ignored", "state": "ignored"},
                {"type": "fencing", "node": "pve1", "armed-state": "armed"},
            ]
        )
        value = ProxmoxCluster(api).high_availability().value
        assert value is not None
        assert [(item.sid, item.node) for item in value.managed] == [("vm:100", "pve1")]
        assert (value.maintenance, value.disarmed) == (("pve1",), False)

    def test_disarmed(self, node: Server, api: ProxmoxApi) -> None:
        node.answers[HA] = data([QUORUM, {"type": "fencing", "armed-state": "disarmed"}])
        value = ProxmoxCluster(api).high_availability().value
        assert value is not None
        assert value.disarmed

    @pytest.mark.parametrize("reply", [data([]), data([{"type": "lrm"}]), FORBIDDEN])
    def test_what_proves_nothing(self, node: Server, api: ProxmoxApi, reply: Reply) -> None:
        node.answers[HA] = reply
        assert ProxmoxCluster(api).high_availability().value is None


class TestMemory:
    """Figures of nodes that are online, and the most each guest may take."""

    PATH = f"{BASE}/cluster/resources"

    @needs_captures
    def test_recorded_figures(self, node: Server, api: ProxmoxApi) -> None:
        node.answers[self.PATH] = replay("200-resources")
        value = ProxmoxCluster(api).memory().value
        assert value is not None
        assert value.nodes["pve1"].total == 25276502016
        assert value.nodes["pve1"].free == 25276502016 - 1827749888
        assert value.guests == {"vm:100": 268435456}

    @needs_captures
    def test_a_token_that_sees_nothing(self, node: Server, api: ProxmoxApi) -> None:
        node.answers[self.PATH] = replay("200-token-resources")
        assert "no node shows its memory" in str(ProxmoxCluster(api).memory().error)

    def test_a_node_that_is_away_takes_nobody_in(self, node: Server, api: ProxmoxApi) -> None:
        figures = {"type": "node", "maxmem": 10, "mem": 4}
        node.answers[self.PATH] = data(
            [
                {**figures, "node": "pve1", "status": "online"},
                {**figures, "node": "pve2", "status": "offline"},
                {"type": "node", "node": "pve3", "status": "online"},
            ]
        )
        value = ProxmoxCluster(api).memory().value
        assert value is not None
        assert set(value.nodes) == {"pve1"}


@pytest.mark.parametrize(
    ("status", "alone"),
    [
        ([{"type": "node", "name": "pve1", "online": 1, "local": 1, "nodeid": 0}], True),
        ([{"type": "cluster", "nodes": 1, "quorate": 1}, {"type": "node", "name": "pve1"}], False),
        ([{"type": "cluster", "nodes": 2, "quorate": 0}], False),
        ([], None),
    ],
)
def test_a_node_without_a_cluster_is_told_from_a_cluster_of_one(
    status: list[dict[str, object]], alone: bool | None, node: Server, api: ProxmoxApi
) -> None:
    node.answers[STATUS] = data(status)
    assert ProxmoxCluster(api).standalone().value is alone


@needs_captures
def test_the_recorded_single_node_is_alone(node: Server, api: ProxmoxApi) -> None:
    node.answers[STATUS] = replay("200-cluster-status")
    assert ProxmoxCluster(api).standalone().value is True


@pytest.mark.parametrize("odd", [{"mem": None}, {"mem": "1e9"}, {"maxmem": []}])
def test_memory_that_is_no_number_is_unknown(
    odd: dict[str, object], node: Server, api: ProxmoxApi
) -> None:
    entry = {"type": "node", "node": "pve1", "status": "online", "mem": 1, "maxmem": 2, **odd}
    node.answers[f"{BASE}/cluster/resources"] = data([entry])
    seen = ProxmoxCluster(api).memory()
    assert seen.value is None
    assert "is not understood" in str(seen.error)
