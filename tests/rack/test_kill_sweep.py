"""The harness dies at every step, on real machines: the target heals, ``recover`` proves it.

One point: ``pytest tests/rack/test_kill_sweep.py -k "guest-stop and fault.injected"``. A
third of all: ``--shard 1/3``. A point that was good with this very code is not swept again
unless ``--again`` is given; results lie below ``--kill-sweep`` (``reports/kill-sweep``), one
file a point.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from blackstart.model.verdict import Verdict
from blackstart.rack.network import BRIDGE
from blackstart.safety.journal import journals, read
from tests.rack.command import eventually, rack
from tests.rack.drills import ROOT
from tests.rack.sweeping import (
    DRILLS,
    GRACE_S,
    HARNESS_S,
    NOT_YET,
    POINTS,
    Room,
    allowed_s,
    asked,
    died,
    healed_after,
    ill,
    survivors,
    traces,
)

READY_S = 300.0
NOBODYS_MAC = "02:00:5e:00:53:01"
POINT_S = 2400
CUT_OFF = "test_nas_outage.py::test_nas_is_cut_off[nas1]"


def selected(config: pytest.Config) -> list[tuple[str, str]]:
    """The points of this shard, dealt out like cards: each shard gets some of every fault."""
    shard, _, shards = str(config.getoption("shard")).partition("/")
    return list(POINTS[int(shard) - 1 :: int(shards)])


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if {"drill", "step"} <= set(metafunc.fixturenames):
        points = selected(metafunc.config)
        names = [f"{drill}@{step}" for drill, step in points]
        metafunc.parametrize(("drill", "step"), points, ids=names)


@pytest.fixture(scope="module")
def room(pytestconfig: pytest.Config) -> Iterator[Room]:
    """Results are counted when all is over."""
    room = Room(ROOT / str(pytestconfig.getoption("kill_sweep")))
    yield room
    names = [f"{drill}@{step}" for drill, step in selected(pytestconfig)]
    good = [name for name in names if room.is_good(name)]
    reporter = pytestconfig.pluginmanager.get_plugin("terminalreporter")
    assert reporter is not None
    reporter.ensure_newline()
    reporter.write_line(f"kill sweep: {len(good)} of {len(names)} points good ({room.directory})")


def ready() -> bool:
    """Whether every machine and guest is well again, as the rack itself sees it."""
    machines = ("nas1", "pve1", "pve2")
    return all(asked(name, "/usr/lib/blackstart-rack/ready").returncode == 0 for name in machines)


@pytest.fixture
def well(room: Room) -> None:
    """A site that is well before the point; one that an earlier point spoiled is reset."""
    if not ready():
        rack("reset", timeout=READY_S)
        eventually(ready, within=READY_S)


@pytest.mark.timeout(POINT_S)
def test_a_harness_that_dies_leaves_nothing(
    drill: str, step: str, room: Room, well: None, request: pytest.FixtureRequest
) -> None:
    point = f"{drill}@{step}"
    if room.is_good(point) and not request.config.getoption("again"):
        pytest.skip(f"good before: {room.result(point)}")
    drills = room.drills(point)
    if drills.exists():
        drills.rename(drills.with_name(f"{point}-{time.time():.0f}"))
    room.keep(point, good=False, why="did not end")
    harness = room.harness(DRILLS[drill][0], point, step)
    assert died(harness), f"the harness ended before {step}: {room.directory / point}.log"
    plan, inventory = room.plan(point), room.inventory
    healed_s, left = healed_after(plan, inventory, broken=step not in NOT_YET)
    alive = survivors(harness.pid)
    recovered = room.recover(point)
    remains = traces(inventory)
    allowed = allowed_s(plan, inventory)
    good = not left and healed_s <= allowed and not alive
    good = good and recovered.returncode == 0 and not remains
    room.keep(
        point,
        good=good,
        target=plan.target,
        lease_s=plan.deadman.lease_s if plan.deadman else None,
        healed_s=round(healed_s, 1),
        allowed_s=round(allowed, 1),
        ill=left,
        survivors=alive,
        recover={"exit": recovered.returncode, "said": recovered.stdout + recovered.stderr},
        remains=remains,
    )
    assert not left, f"not healed after {healed_s:.0f} s without a harness"
    assert healed_s <= allowed
    assert not alive
    assert recovered.returncode == 0, recovered.stdout + recovered.stderr
    assert not remains


@pytest.fixture
def cut_off() -> Iterator[list[str]]:
    """Addresses put in here can no longer be reached from the harness, silently."""
    addresses: list[str] = []
    yield addresses
    for address in addresses:
        neighbour("del", address)


def neighbour(verb: str, address: str) -> None:
    """Frames to an address go to nobody, from now on or no longer (ip-neighbour(8))."""
    words = ["ip", "neigh", verb, address, "lladdr", NOBODYS_MAC, "dev", BRIDGE]
    words += ["nud", "permanent"] if verb == "replace" else []
    rack("exec", "--", *words)


def steps(drills: Path) -> list[str]:
    """What a running drill has written down."""
    return [entry.step for path in journals(drills) for entry in read(path).entries]


@pytest.mark.timeout(POINT_S)
def test_a_harness_without_its_network_to_the_target(
    room: Room, well: None, cut_off: list[str]
) -> None:
    """The target's address is lost to the harness until its drill has ended."""
    point, inventory = "partition@fault.active", room.inventory
    drills = room.drills(point)
    if drills.exists():
        drills.rename(drills.with_name(f"{point}-{time.time():.0f}"))
    harness = room.harness(CUT_OFF, point, None)
    eventually(
        lambda: "fault.active" in steps(drills) or harness.poll() is not None, within=HARNESS_S
    )
    assert harness.poll() is None, f"the drill ended too early: {room.directory / point}.log"
    plan = room.plan(point)
    address = str(inventory.nodes[plan.target].address)
    neighbour("replace", address)
    cut_off.append(address)
    began = time.monotonic()
    code = harness.wait(HARNESS_S)
    away_s = time.monotonic() - began
    neighbour("del", cut_off.pop())
    assert away_s > inventory.dead_man + GRACE_S, "the drill ended before its dead-man had to fire"
    left = ill(plan, broken=True)
    (ended,) = (entry for path in journals(drills) for entry in read(path).of("drill.end"))
    recovered = room.recover(point)
    remains = traces(inventory)
    room.keep(
        point,
        good=not left and recovered.returncode == 0 and not remains and code != 0,
        target=plan.target,
        away_s=round(away_s, 1),
        drill={"exit": code, "verdict": ended.data["verdict"]},
        ill=left,
        recover={"exit": recovered.returncode, "said": recovered.stdout + recovered.stderr},
        remains=remains,
    )
    assert not left, "its dead-man has not healed it"
    assert code != 0
    assert ended.data["verdict"] != Verdict.PASS
    assert "fault.closed" not in steps(drills)[: steps(drills).index("drill.end")]
    assert recovered.returncode == 0, recovered.stdout + recovered.stderr
    assert steps(drills)[-1] == "recover.ended"
    assert not remains


def test_every_kind_of_fault_is_swept_at_four_points_or_more() -> None:
    """A drill that somebody adds and forgets here would never be killed."""
    swept = {name: sum(point == name for point, _ in POINTS) for name in DRILLS}
    assert min(swept.values()) >= 4
