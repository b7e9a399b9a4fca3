"""Recover: everything that is open, newest first; one that fails never stops the next."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from blackstart.errors import JournalError, Refusal, TimedOut
from blackstart.faults.base import PLAN
from blackstart.model.deadman import DeadMan
from blackstart.safety.journal import Journal
from blackstart.safety.lease import hold
from tests.simulation.drilling import Harness
from tests.simulation.families import fault_of, shared_site
from tests.simulation.world import World


@pytest.fixture
def harness(tmp_path: Path) -> Harness:
    return Harness(tmp_path, World(shared_site()))


def broken(harness: Harness, family: str, name: str, *, site: str = "lab") -> None:
    """A fault, and the journal of a harness that died with it active."""
    fault = fault_of(family)
    plan = fault.plan(harness.site)
    if plan.undo:
        plan = replace(plan, deadman=DeadMan(name, plan.undo_host or plan.target, 12))
        assert plan.deadman is not None
        harness.site.deadmen.arm(plan.deadman, plan.undo)
    journal = Journal(harness.drills / name, harness.world.clock)
    journal.write("drill.begin", site=site)
    journal.write("fault.planned", plan=PLAN.dump_python(plan, mode="json"))
    fault.inject(harness.site, plan)
    journal.close()


def test_nothing_open_is_nothing_to_do(harness: Harness) -> None:
    assert harness.recover() == ()


def test_the_newest_first_and_all_of_them(harness: Harness) -> None:
    broken(harness, "nas-block", "1")
    broken(harness, "memory-share", "2")
    broken(harness, "guest-stop", "3")
    done = harness.recover()
    assert [item.fault.plan.fault for item in done] == ["guest-stop", "memory", "nas-block"]
    assert all(item.proof.holds for item in done)
    assert not harness.open()
    assert not harness.world.left_behind()
    assert harness.recover() == ()


def test_one_that_fails_never_stops_the_next(harness: Harness) -> None:
    broken(harness, "nas-block", "1")
    broken(harness, "guest-stop", "2")
    harness.world.lies.undo_swallowed = frozenset({"start-guest"})
    harness.world.lies.deadman_idle = True
    done = harness.recover()
    assert [item.proof.holds for item in done] == [False, True]
    (left,) = harness.open()
    assert left.plan.fault == "guest-stop"
    assert left.plan.rescue


def test_a_host_that_is_off_is_reported_and_put_back_later(harness: Harness) -> None:
    broken(harness, "nas-block", "1")
    harness.world.lies.partitions["nas1"] = (0.0, 5000.0)
    (tried,) = harness.recover()
    assert "no route to host" in tried.proof.detail
    assert "nas1" in harness.recovering().strays()
    harness.world.clock.pass_without_harness(5000.0)
    (again,) = harness.recover()
    assert again.proof.holds
    assert not harness.recovering().strays()


@pytest.mark.parametrize("family", ["reboot", "power-cut", "cold-start"])
def test_what_heals_by_itself_is_waited_for(harness: Harness, family: str) -> None:
    broken(harness, family, "1")
    (done,) = harness.recover()
    assert done.proof.holds, done.proof.detail
    assert all(harness.world.settled(node) for node in done.fault.plan.nodes_down)
    assert not harness.open()


def test_a_torn_last_line_hides_nothing(harness: Harness) -> None:
    broken(harness, "nas-block", "1")
    with (harness.drills / "1" / "journal.jsonl").open("a") as file:
        file.write('{"seq": 2, "wa')
    assert [item.proof.holds for item in harness.recover()] == [True]
    assert not harness.open()


def test_a_damaged_journal_stops_no_other_and_stays_known(harness: Harness) -> None:
    broken(harness, "nas-block", "1")
    broken(harness, "guest-stop", "2")
    path = harness.drills / "2" / "journal.jsonl"
    lines = path.read_text().splitlines()
    record = {**json.loads(lines[0]), "wall": 0}
    path.write_text("\n".join([json.dumps(record), *lines[1:], ""]))
    (done,) = harness.recover()
    assert (done.fault.plan.fault, done.proof.holds) == ("nas-block", True)
    with pytest.raises(JournalError, match="the chain breaks here"):
        harness.open()


@pytest.mark.parametrize(
    ("family", "gone"), [("reboot", "parameters"), ("cold-start", "prior"), ("nas-block", "undo")]
)
def test_a_plan_that_lacks_something_stops_no_other(
    harness: Harness, family: str, gone: str
) -> None:
    """Another version's, with a chain that is whole."""
    plan = PLAN.dump_python(fault_of(family).plan(harness.site), mode="json")
    broken(harness, "nas-stop", "1")
    journal = Journal(harness.drills / "2", harness.world.clock)
    journal.write("drill.begin", site="lab")
    journal.write("fault.planned", plan={**plan, gone: type(plan[gone])()})
    journal.close()
    lacking, done = harness.recover()
    assert not lacking.proof.holds
    assert done.proof.holds
    assert [left.plan.fault for left in harness.open()] == [plan["fault"]]
    assert harness.steps("2")[-1] == "recover.ended"


def test_other_sites_are_left_alone(harness: Harness) -> None:
    broken(harness, "nas-block", "1", site="home")
    assert harness.recover() == ()


def test_while_a_drill_runs_it_refuses(harness: Harness) -> None:
    with (
        hold("lab", "a drill", harness.world.clock, harness.leases),
        pytest.raises(Refusal, match="for a drill"),
    ):
        harness.recover()


def test_a_dead_man_that_no_journal_knows_is_a_stray(harness: Harness) -> None:
    broken(harness, "nas-block", "1")
    (harness.drills / "1" / "journal.jsonl").unlink()
    assert harness.recover() == ()
    assert harness.recovering().strays() == {"nas1": ("1",)}


def test_hosts_are_asked_side_by_side_and_told_in_the_inventorys_order(harness: Harness) -> None:
    """All of them hang at once, as after a power loss; one after the other took 21 s each."""
    inventory = harness.site.inventory
    names = (*inventory.nodes, *inventory.guests)
    hosts = [name for name in names if inventory.ssh_of(name) is not None]
    together = threading.Barrier(len(hosts), timeout=20)

    class Looking:
        def traces(self, host: str) -> tuple[str, ...]:
            together.wait()
            time.sleep(0.02 * (len(hosts) - hosts.index(host)))  # the last one answers first
            if host == hosts[0]:
                raise TimedOut(f"{host}: no answer within the bound")
            return (f"of {host}",)

    looking: Any = Looking()
    found = replace(harness.recovering(), site=replace(harness.site, deadmen=looking)).strays()
    assert len(hosts) > 4
    assert list(found) == hosts
    assert found[hosts[0]] == (f"cannot be looked at: {hosts[0]}: no answer within the bound",)
    assert found[hosts[1]] == (f"of {hosts[1]}",)


def test_a_host_that_never_answers_does_not_keep_the_others(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("blackstart.recovering.TRACES_S", 0.3)
    over = threading.Event()

    class Looking:
        def traces(self, host: str) -> tuple[str, ...]:
            if host == "a1":
                over.wait(20)
            return ()

    looking: Any = Looking()
    found = replace(harness.recovering(), site=replace(harness.site, deadmen=looking)).strays()
    over.set()
    assert found == {"a1": ("cannot be looked at: no answer within 0 s",)}


def test_where_nobody_logs_in_nobody_looks_for_strays(harness: Harness) -> None:
    site = harness.site
    closed = site.inventory.nodes["nas1"].model_copy(update={"ssh": "none", "may_break": {}})
    nodes = {**site.inventory.nodes, "nas1": closed}
    inventory = site.inventory.model_copy(update={"nodes": nodes})
    asked: list[str] = []

    class Looking:
        def traces(self, host: str) -> tuple[str, ...]:
            asked.append(host)
            return ()

    looking: Any = Looking()
    there = replace(site, inventory=inventory, deadmen=looking)
    assert replace(harness.recovering(), site=there).strays() == {}
    assert "nas1" not in asked
    assert {"a1", "a2"} <= set(asked)


def test_it_writes_down_what_it_does(harness: Harness) -> None:
    broken(harness, "nas-block", "1")
    harness.recover()
    assert harness.steps("1")[2:] == [
        "recover.begin",
        "fault.revert-tried",
        "fault.revert-proven",
        "deadman.disarmed",
        "fault.closed",
        "recover.ended",
    ]
