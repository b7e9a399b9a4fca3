"""Kill the harness at every point of every drill: nothing it broke may stay broken."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

from blackstart.errors import Refusal
from blackstart.faults.base import Plan, Proof
from blackstart.faults.undoing import Undoing
from blackstart.model.inventory import FaultName

from .drilling import Harness
from .drivers import site_of
from .families import FAMILIES, fault_of, shared_site
from .killing import Kill, Reaper, Swept, scratch
from .world import Lies, World

HEALS_IN_S = 10.0
"""Seconds after the lease in which a dead-man must have undone the fault."""
BOOTS_IN_S = 60.0
COLD_START_S = 180.0 + BOOTS_IN_S
RECOVER_AT_ONCE = frozenset({"after deadman.armed", "after fault.injecting", "after fault.active"})


@pytest.fixture
def root() -> Iterator[Path]:
    made = scratch()
    yield made
    shutil.rmtree(made)


def sweep(root: Path, family: str, lies: Lies | None = None) -> Swept:
    """Kill a drill of one family at every point, and judge each death."""
    world = World(shared_site(), lies)

    def aftermath(kill: Kill) -> Swept:
        found = Swept()
        if kill.point in RECOVER_AT_ONCE:
            found = killed_while_recovering(world, kill, family)
        heals_without_harness(world, family)
        recovers(world, kill.root, family)
        return found

    def act(site: object) -> None:
        harness = Harness(root, world)
        harness.site = site  # type: ignore[assignment]
        assert harness.run(fault_of(family), hold_s=2.0) == "pass"

    return Reaper(world, root, aftermath, at_once=2).sweep(act, lambda: site_of(world))


def heals_without_harness(world: World, family: str) -> None:
    """The target is as it was, nobody having helped, in the lease and 10 s, and the boot."""
    lease_s = world.inventory.dead_man
    world.clock.pass_without_harness(lease_s + HEALS_IN_S)
    assert not world.left_behind(), f"left without the harness: {world.left_behind()}"
    off = COLD_START_S if family == "cold-start" else BOOTS_IN_S
    world.clock.pass_without_harness(off)
    ails = [item for item in world.ails() if "wiped" not in item]  # no dead-man in the guest
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

    def act(site: object) -> None:
        harness = Harness(kill.root, world)
        harness.site = site  # type: ignore[assignment]
        assert all(item.proof.holds for item in harness.recover())

    found = Reaper(world, kill.root, aftermath).sweep(act, lambda: site_of(world))
    found.points = [f"recover {kill.point}: {point}" for point in found.points]
    return found


@pytest.mark.parametrize("family", FAMILIES)
def test_killed_anywhere_nothing_stays_broken(
    root: Path, family: str, record_property: object, capsys: pytest.CaptureFixture[str]
) -> None:
    swept = sweep(root, family)
    kinds = Counter(point.split()[0] for point in swept.points)
    with capsys.disabled():
        print(f"\n{family}: killed at {len(swept.points)} points, {dict(kinds)}", end="")
    assert len(swept.points) > 150
    assert not swept.failures, f"{len(swept.failures)} of {len(swept.points)}:\n" + "\n".join(
        swept.failures[:20]
    )
