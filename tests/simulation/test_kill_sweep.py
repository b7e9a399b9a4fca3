"""Kill the harness at every point of every drill: nothing it broke may stay broken."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import get_args
from unittest.mock import patch

import pytest

from blackstart.drivers.base import Site
from blackstart.faults.base import Plan, Proof
from blackstart.faults.undoing import Undoing
from blackstart.model.inventory import FaultName
from blackstart.safety.open_faults import Survey

from .drilling import Harness
from .drivers import site_of
from .families import FAMILIES, fault_of, shared_site
from .killing import AGAIN, Kill, Reaper, Swept, scratch
from .world import Lies, World

HEALS_IN_S = 10.0
"""Seconds after the lease in which a dead-man must have undone the fault."""
BOOTS_IN_S = 60.0
COLD_START_S = 180.0 + BOOTS_IN_S
RECOVER_AT_ONCE = frozenset({"deadman.armed", "fault.injecting", "fault.active"})
"""After these, recover is run while the dead-man still waits, and is itself killed anywhere."""


@pytest.fixture
def root() -> Iterator[Path]:
    made = scratch()
    yield made
    shutil.rmtree(made)


def sweep(
    root: Path, family: str, lies: Lies | None = None, then: Sequence[tuple[str, str]] = ()
) -> Swept:
    """Kill a drill of one family, others following, at every point, and judge each death."""
    world = World(shared_site(), lies)

    def aftermath(kill: Kill) -> Swept | None:
        if kill.point.startswith(AGAIN):
            return killed_while_recovering(world, kill, family)
        heals_without_harness(world, family)
        recovers(world, kill.root, family)
        return None

    def act(site: Site) -> None:
        others = [fault_of(*it) for it in then]
        verdict = Harness(root, world, site).run(fault_of(family), then=others, hold_s=2.0)
        assert verdict == "pass"

    reaper = Reaper(world, root, aftermath, at_once=2, twice=RECOVER_AT_ONCE)
    return reaper.sweep(act, lambda: site_of(world))


def heals_without_harness(world: World, family: str) -> None:
    """The target is as it was, nobody having helped, in the lease and 10 s, and the boot."""
    leases = [armed.lease_s for armed in world.deadmen.values()]
    lease_s = max(leases, default=world.inventory.dead_man)
    world.clock.pass_without_harness(lease_s + HEALS_IN_S)
    waiting = {
        f"{it.host}: dead-man {name}" for name, it in world.deadmen.items() if not it.ticking
    }
    left = set(world.left_behind()) - waiting  # half armed: nothing was broken yet
    assert not left, f"left without the harness: {left}"
    off = COLD_START_S if family == "cold-start" else BOOTS_IN_S
    world.clock.pass_without_harness(off)
    ails = [it for it in world.ails() if "wiped" not in it and it not in waiting]
    assert not ails, f"not healed without the harness: {ails}"


def recovers(world: World, root: Path, family: str) -> None:
    """A fresh process closes everything, finds nothing the second time, and drills again."""
    harness = Harness(root, world)
    unproven = [item for item in harness.recover() if not item.proof.holds]
    assert not unproven, f"recover did not prove: {unproven}"
    assert not harness.open(), f"still open: {harness.open()}"
    world.clock.pass_without_harness(BOOTS_IN_S)
    assert not world.ails(), f"not as it was after recover: {world.ails()}"
    strays = harness.recovering().strays()
    assert not strays, f"left: {strays}"
    assert harness.recover() == ()
    with harness.drill("next", plan_only=True).fault(fault_of(family)):
        pass


def killed_while_recovering(world: World, kill: Kill, family: str) -> Swept:
    """Recover at once, while the dead-man still waits, and die at every point of that, too."""

    def aftermath(again: Kill) -> None:
        recovers(world, again.root, family)

    def act(site: Site) -> None:
        assert all(item.proof.holds for item in Harness(kill.root, world, site).recover())

    found = Reaper(world, kill.root, aftermath).sweep(act, lambda: site_of(world))
    found.points = [f"recovering {point}" for point in found.points]
    return found


@pytest.mark.parametrize("family", FAMILIES)
def test_killed_anywhere_nothing_stays_broken(
    root: Path, family: str, capsys: pytest.CaptureFixture[str]
) -> None:
    swept = sweep(root, family)
    kinds = Counter(point.split()[0] for point in swept.points)
    with capsys.disabled():
        print(f"\n{family}: killed at {len(swept.points)} points, {dict(kinds)}", end="")
    assert len(swept.points) >= 3 * 35
    assert not swept.failures, f"{len(swept.failures)} of {len(swept.points)}:\n" + "\n".join(
        swept.failures[:20]
    )


def test_killed_between_two_faults_nothing_stays_broken(root: Path) -> None:
    swept = sweep(root, "service-restart", then=[("guest-reboot", "k1"), ("lease-renewal", "box")])
    planned = sum(point == "after fault.planned" for point in swept.points)
    assert planned == 3
    assert not swept.failures, "\n".join(swept.failures[:20])


def test_every_fault_is_swept() -> None:
    swept = {fault_of(family).name for family in FAMILIES}
    assert swept == set(get_args(FaultName))


def test_dead_men_that_do_nothing_turn_the_sweep_red(root: Path) -> None:
    swept = sweep(root, "nas-block", Lies(deadman_idle=True))
    red = [failure for failure in swept.failures if failure.startswith("after fault.active")]
    assert "left without the harness" in red[0]


def test_a_recover_that_proves_nothing_turns_the_sweep_red(root: Path) -> None:
    def trusting(self: Undoing, site: object, plan: Plan) -> Proof:
        return Proof(True, "trust me")

    def idle(self: Undoing, site: object, plan: Plan) -> None:
        """Sends nothing."""

    world = World(shared_site())

    def aftermath(kill: Kill) -> None:
        with (
            patch.object(Undoing, "revert", idle),
            patch.object(Undoing, "prove_reverted", trusting),
        ):
            recovers(world, kill.root, "nas-block")

    def act(site: Site) -> None:
        Harness(root, world, site).run(fault_of("nas-block"))

    swept = Reaper(world, root, aftermath).sweep(act, lambda: site_of(world))
    red = {failure.partition(":")[0] for failure in swept.failures}
    assert {"after fault.injected", "torn fault.active", "after fault.active"} <= red
    assert "before fault.injecting" not in red


def test_a_revert_that_is_forgotten_turns_the_sweep_red(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("blackstart.recovering.survey", lambda drills, site: Survey((), ()))
    swept = sweep(root, "nas-block")
    assert any("still open" in failure for failure in swept.failures)
