"""Every guard there is refuses what it is for, and refuses where it cannot see."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from blackstart.drivers.base import CommandResult
from blackstart.errors import Unreachable
from blackstart.faults.cold_start import cold_start
from blackstart.model.circumstances import NewestFile, StorageHealth
from blackstart.safety import halt
from blackstart.safety.guard import GUARDS, Request
from tests.simulation.circumstances import DAY_S, seen, unseen
from tests.simulation.drivers import SimulatedDeadMen, SimulatedPower
from tests.simulation.inventories import small_site
from tests.simulation.world import Lies, World

from .faults.dark_site import Bench
from .guarding import (
    answer,
    at,
    cluster,
    damaged,
    drifted,
    managing,
    request_for,
    under,
    unreverted,
)
from .losing import lessened
from .test_guard import without_consent
from .test_guard_cluster import memory
from .test_guard_path import machine, through
from .test_guard_upkeep import task
from .test_guard_window import MORNING, asked_at

Asked = Callable[[Path], Request]
WITH_UPS = small_site(ups={"host": "a2", "name": "rack-ups"})
PAIR = small_site(never_down={"names": {"any_of": ["dns/dns1"]}})


class Left(SimulatedDeadMen):
    """A dead-man of somebody else waits everywhere."""

    def traces(self, host: str) -> tuple[str, ...]:
        return ("old-drill",)


class Silent(SimulatedDeadMen):
    """No host answers."""

    def traces(self, host: str) -> tuple[str, ...]:
        raise Unreachable(f"{host}: no route to host")


class Dead(SimulatedPower):
    """No controller answers."""

    def state(self, host: str) -> Any:
        raise Unreachable("connection refused")


def halted(drills: Path, text: str | None = None) -> Request:
    """A site whose drills somebody has stopped; ``text``: what is left of who that was."""
    halt.halt(drills / "leases", "lab", "guests are coming")
    if text is not None:
        (written,) = (drills / "leases").iterdir()
        written.write_text(text)
    return request_for(drills)


def dark(drills: Path) -> Request:
    """A cold start of a site, one controller of which has no timer, and nobody attends."""
    bench = Bench(drills, Lies(back_on_by={"a2": "command"}))
    plan = cold_start("lab").plan(bench.site)
    return Request(bench.site, bench.terms, plan, bench.site.facts())


def told(**answers: Any) -> Asked:
    return lambda drills: cluster(request_for(drills), **answers)


def among(**circumstances: Any) -> Asked:
    return lambda drills: under(request_for(drills), **circumstances)


MOVES = managing("vm:101")
REFUSED: Mapping[str, Asked] = {
    "armed": lambda drills: request_for(drills, armed="home"),
    "consent": lambda drills: request_for(drills, inventory=without_consent("power-cut")),
    "not-halted": halted,
    "nothing-open": unreverted,
    "healthy": lambda drills: request_for(
        drills, spoil=lambda world: setattr(world.guests["box"], "up_at", None)
    ),
    "quorum": lambda drills: request_for(drills, lies=Lies(votes=2)),
    "survivor-memory": told(high_availability=MOVES, memory=seen(memory(3, vm101=4))),
    "etc-pve-backup": among(backup=seen(NewestFile(path="./x.tar", age_s=9 * DAY_S))),
    "busy": told(tasks=seen((task("vzdump"),))),
    "storage": among(arrays={"a2": seen(StorageHealth(damage=("md0",), seen=()))}),
    "ha-fencing": told(high_availability=MOVES),
    "ups": lambda drills: under(request_for(drills, inventory=WITH_UPS), supply=seen("OB")),
    "guest-locks": lambda drills: request_for(drills, lies=Lies(config={"lock": "backup"})),
    "leftovers": lambda drills: at(request_for(drills), deadmen=Left(World(small_site()))),
    "out-of-band": lambda drills: request_for(drills, lies=Lies(controller_state="off")),
    "witness": dark,
    "drift": lambda drills: drifted(request_for(drills), CommandResult(0, "gone@efi\n", "")),
    "window": lambda drills: asked_at(drills, "2026-11-20T03:00:00+01:00", MORNING),
    "own-path": among(**machine(routes=(through("10.0.0.11"),))),
    "never-down": lambda drills: request_for(drills, inventory=PAIR),
}
UNSEEN: Mapping[str, Asked] = {
    "not-halted": lambda drills: halted(drills, "{"),
    "nothing-open": damaged,
    "survivor-memory": told(high_availability=unseen()),
    "etc-pve-backup": among(backup=unseen()),
    "busy": told(tasks=unseen()),
    "storage": told(stores=unseen()),
    "ha-fencing": told(high_availability=unseen()),
    "ups": lambda drills: under(request_for(drills, inventory=WITH_UPS), supply=unseen()),
    "leftovers": lambda drills: at(request_for(drills), deadmen=Silent(World(small_site()))),
    "out-of-band": lambda drills: at(request_for(drills), power=Dead(World(small_site()))),
    "own-path": among(machine=unseen()),
    "drift": lambda drills: drifted(request_for(drills), CommandResult(1, "", "I/O error")),
}
"""What those that ask somebody themselves cannot see; the others judge the site's facts."""
OF_FACTS = frozenset({"healthy", "quorum", "guest-locks"})
TOLD = frozenset({"armed", "consent", "window", "never-down", "witness"})
"""They look at nothing but the terms, the plan and the inventory, which are always there."""


def test_every_guard_has_its_case() -> None:
    names = {guard.name for guard in GUARDS}
    assert {*REFUSED} == names
    assert {*UNSEEN, *OF_FACTS, *TOLD} == names


@pytest.mark.parametrize("name", REFUSED)
def test_a_guard_has_no_objection_to_a_healthy_site_and_refuses_its_own(
    name: str, tmp_path: Path
) -> None:
    assert answer(name, request_for(tmp_path / "well")).refusal is None
    assert answer(name, REFUSED[name](tmp_path / "ill")).refusal is not None


@pytest.mark.parametrize("name", UNSEEN)
def test_a_guard_refuses_where_it_cannot_see(name: str, tmp_path: Path) -> None:
    assert answer(name, UNSEEN[name](tmp_path)).refusal is not None


@pytest.mark.parametrize("name", REFUSED)
def test_a_fact_that_is_lost_lets_nobody_pass(name: str, tmp_path: Path) -> None:
    asked = REFUSED[name](tmp_path)
    passed = [
        where
        for where, facts in lessened(asked.facts, "facts")
        if answer(name, replace(asked, facts=facts)).refusal is None
    ]
    assert passed == []


@pytest.mark.parametrize("name", sorted(OF_FACTS | TOLD))
def test_who_judges_facts_refuses_what_is_lost_and_the_others_need_none(
    name: str, tmp_path: Path
) -> None:
    asked = request_for(tmp_path)
    refused = [
        where
        for where, facts in lessened(asked.facts, "facts")
        if answer(name, replace(asked, facts=facts)).refusal is not None
    ]
    assert bool(refused) is (name in OF_FACTS)
