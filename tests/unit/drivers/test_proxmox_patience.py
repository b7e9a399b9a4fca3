"""A node of the cluster that hangs costs its own facts, and not those of the others."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from blackstart.drivers import proxmox_api
from blackstart.drivers.clock import SystemClock
from blackstart.drivers.proxmox_api import NAME, ProxmoxApi, Token, name_of
from blackstart.drivers.proxmox_look import WORKERS, ProxmoxLook
from blackstart.drivers.proxmox_patience import Patience, by_turns, node_of
from blackstart.errors import Rejected, TimedOut, Unreachable

from .captures import data
from .tls_server import Asked, Authority, Reply, Server

BASE = "/api2/json"
TOKEN = Token("drill@pve", "t1", "5e3a9f10-0000-4000-8000-7c0ffee00001")


def test_nodes_take_turns() -> None:
    paths = [
        ("x", "nodes/a/time"),
        ("y", "nodes/a/status"),
        ("z", "nodes/b/time"),
        ("c", "storage"),
    ]
    assert [*by_turns(paths)] == ["x", "z", "c", "y"]
    assert (node_of("nodes/a/qemu/100/config"), node_of("cluster/status")) == ("a", "")


def failing(error: Exception) -> Callable[[], int]:
    def fail() -> int:
        raise error

    return fail


class TestPatience:
    """Which node is waited for again."""

    def test_a_node_that_never_answered_is_waited_for_once(self) -> None:
        patience = Patience()
        asked: list[str] = []

        def hang() -> None:
            asked.append("x")
            raise TimedOut("a: no answer")

        for path in ("nodes/a/time", "nodes/a/status"):
            with pytest.raises(TimedOut, match="a: no answer"):
                patience.asking(path, hang)()
        assert asked == ["x"]
        assert patience.asking("nodes/b/time", lambda: 1)() == 1

    def test_a_node_that_answered_anything_is_asked_on(self) -> None:
        """What hangs there may lie on a dead NAS; a no is an answer, too."""
        patience = Patience()
        for error in (Rejected("403"), TimedOut("a: no answer")):
            with pytest.raises(type(error)):
                patience.asking("nodes/a/storage", failing(error))()
        assert patience.asking("nodes/a/status", lambda: 2)() == 2

    def test_the_clusters_own_questions_are_all_asked(self) -> None:
        patience = Patience()

        with pytest.raises(Unreachable):
            patience.asking("cluster/status", failing(Unreachable("no route")))()
        assert patience.asking("storage", lambda: 1)() == 1


@pytest.fixture
def over() -> Iterator[threading.Event]:
    """Ends what hangs."""
    made = threading.Event()
    yield made
    made.set()


def cluster(server: Server, over: threading.Event) -> None:
    """``hung`` is a member in good standing, and whatever is asked of it gets no answer."""

    def other(asked: Asked) -> Reply:
        if f"{BASE}/nodes/hung/" in asked.path:
            over.wait(30)
        return Reply(501, "not implemented")

    server.otherwise = other
    members = [{"type": "node", "name": name, "online": 1} for name in ("hung", "pve1")]
    rows = [
        {"type": "qemu", "vmid": 100 + number, "node": "hung" if number < 60 else "pve1"}
        for number in range(61)
    ]
    answers = {
        "version": {},
        "cluster/status": members,
        "cluster/resources": [{**row, "status": "running", "template": 0} for row in rows],
        "access/permissions": {"/vms": {"VM.Audit": 1}},
        "nodes/pve1/time": {"time": 1_800_000_000},
        "nodes/pve1/qemu/160/config": {"memory": "512"},
        "nodes/pve1/qemu/160/pending": [],
    }
    for path, answer in answers.items():
        server.answers[f"GET {BASE}/{path}"] = data(answer)


def soon_tired(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who hangs is waited for 2 s, and everybody else as long as ever."""
    ask = proxmox_api._Endpoint.ask

    def asked(self: Any, method: str, path: str, fields: Any, timeout_s: float) -> Any:
        return ask(self, method, path, fields, 2.0 if "nodes/hung/" in path else timeout_s)

    monkeypatch.setattr(proxmox_api._Endpoint, "ask", asked)


def test_one_node_that_hangs_leaves_the_facts_of_the_others(
    node: Server, authority: Authority, over: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has some 130 questions to answer, and is asked no more than are on their way at once."""
    soon_tired(monkeypatch)
    cluster(node, over)
    api = ProxmoxApi({"pve1": "127.0.0.1"}, token=TOKEN, ca=authority.ca, port=node.port)
    found = ProxmoxLook(api, SystemClock(), deadline_s=120.0)()
    assert len([it for it in node.asked if "nodes/hung/" in it.path]) <= WORKERS
    assert found.hypervisors["pve1"].clock_ahead_s.known
    assert found.plans["qemu/160"].config.value == {"memory": "512"}
    for seen in (found.hypervisors["hung"].clock_ahead_s, found.plans["qemu/100"].config):
        assert seen.error == "pve1: no answer within 12 s"
    assert found.votes.error is not None, "what was refused says so, and is not late"
    assert "501" in found.votes.error
    over.set()
    api.close()


def test_who_is_silent_when_greeted_is_asked_last_and_not_for_its_own(
    node: Server, authority: Authority
) -> None:
    node.answers[f"GET {BASE}/version"] = data({})
    nodes = {"hung": "127.0.0.2", "pve1": "127.0.0.1"}
    api = ProxmoxApi(nodes, token=TOKEN, ca=authority.ca, port=node.port)
    with api.triage.sorted_out({name_of("hung"): TimedOut("hung: no answer")}):
        assert [it.node for it in api._in_order("version")] == ["pve1", "hung"]
        with pytest.raises(TimedOut, match="hung: no answer"):
            api.get("nodes/hung/time")
        assert api.get("version") == {}
    api.close()


def test_a_node_that_hangs_itself_is_not_asked_for_through_another(
    node: Server, authority: Authority, over: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proxmox_api, "READ_S", 0.5)
    cluster(node, over)
    nodes = {"other": "127.0.0.1", "hung": "127.0.0.1"}
    api = ProxmoxApi(nodes, token=TOKEN, ca=authority.ca, port=node.port)
    with pytest.raises(TimedOut, match=r"^hung: no answer within 0 s$"):
        api.get("nodes/hung/time")
    deadline = time.monotonic() + 20.0
    while not node.asked and time.monotonic() < deadline:  # it may be late to read what was sent
        time.sleep(0.01)
    assert [it.path for it in node.asked] == [f"{BASE}/nodes/hung/time"]
    over.set()
    api.close()


def test_a_greeting_is_answered_by_whoever_is_quickest(node: Server, authority: Authority) -> None:
    node.answers[f"GET {BASE}/version"] = Reply(401, "no ticket")
    nodes = {"gone": "127.0.0.2", "pve1": "127.0.0.1"}
    api = ProxmoxApi(nodes, token=TOKEN, ca=authority.ca, port=node.port)
    api.greet()
    with pytest.raises(Unreachable, match="gone: Connection refused"):
        api.greet("gone")
    assert name_of("gone").startswith(NAME)
    api.close()
