"""200 drills drawn by seed: never a pass while the world says otherwise, and no loose end."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from blackstart.drill import Drill
from blackstart.errors import BlackstartError
from blackstart.safety.halt import halt, resume
from blackstart.safety.journal import Entry, Journal

from .drilling import Harness
from .families import fault_of, shared_site
from .killing import scratch
from .lies import Lies
from .random_worlds import TARGETS, Drawn, draw
from .world import World

SEEDS = 200
LEAST_PASSES = 0.25
VERDICTS: Counter[str] = Counter()
CURABLE = ("undo_fails", "undo_swallowed", "partitions", "mute_ssh", "never_settles", "no_redeploy")


@pytest.fixture
def root() -> Iterator[Path]:
    made = scratch()
    yield made
    shutil.rmtree(made)


@contextmanager
def halting(harness: Harness, step: str | None) -> Iterator[None]:
    """Somebody halts once a step has been written."""
    original = Journal.write

    def write(journal: Journal, written: str, **data: Any) -> Entry:
        entry = original(journal, written, **data)
        if written == step:
            halt(harness.leases, "lab", "drawn")
        return entry

    with patch.object(Journal, "write", write):
        yield
    resume(harness.leases, "lab")


def run(harness: Harness, drawn: Drawn) -> str:
    """The verdict, or ``refused``; any other exception is a defect."""

    def body(drill: Drill) -> None:
        if drawn.sentinel_lost:
            harness.world.lies.sentinel = "empty now"

    fault = fault_of(drawn.family, drawn.target)
    try:
        with halting(harness, drawn.halted_at):
            return harness.run(fault, hold_s=drawn.hold_s, body=body)
    except BlackstartError:
        assert not harness.journal().of("fault.planned"), "broken, and no verdict"
        return "refused"


def no_false_pass(world: World, drawn: Drawn, harness: Harness) -> None:
    """What must be so in the world itself when a drill says pass."""
    assert world.bitten, "nothing was broken"
    assert not world.ails(), f"the world is not as it was: {world.ails()}"
    (held,) = harness.journal().of("fault.held")
    early = [name for name, at in world.fired.items() if at < held.at]
    assert not early, "a dead-man undid the fault before its time"
    assert not harness.open()


def no_loose_end(world: World, harness: Harness) -> None:
    """Nothing is left, or it is in a journal, and ``recover`` closes it or says that it cannot."""
    if not harness.open():
        assert not world.left_behind(), f"left, and nothing is open: {world.left_behind()}"
        return
    reported = [item for item in harness.recover() if not item.proof.holds]
    assert bool(harness.open()) == bool(reported)
    honest = Lies()
    for name in CURABLE:
        setattr(world.lies, name, getattr(honest, name))
    for node in world.nodes.values():
        node.settles_at = min(node.settles_at, node.up_at + 5.0)
    world.clock.pass_without_harness(60.0)
    left = [item for item in harness.recover() if not item.proof.holds]
    assert bool(harness.open()) == bool(left)
    if not left:
        assert not world.left_behind(), f"recovered, and left: {world.left_behind()}"
    for item in left:  # what is still open must really be beyond recover's reach
        beyond = [it for it in world.ails() if "address" in it or "is down" in it]
        assert beyond, f"open without a reason in the world: {item.proof.detail}"


@pytest.mark.parametrize("seed", range(SEEDS))
def test_drill(seed: int, root: Path) -> None:
    drawn = draw(seed)
    world = World(shared_site(), drawn.lies)
    harness = Harness(root, world)
    verdict = run(harness, drawn)
    VERDICTS[verdict] += 1
    if verdict == "pass":
        no_false_pass(world, drawn, harness)
    if verdict == "refused":
        assert not [what for what in world.bitten if not what.startswith("death of")]
    if drawn.honest:
        assert verdict == "pass", harness.watcher.notes
    no_loose_end(world, harness)


def test_enough_of_them_pass(capsys: pytest.CaptureFixture[str]) -> None:
    drawn = sum(VERDICTS.values())
    if drawn < SEEDS:
        pytest.skip(f"only {drawn} of {SEEDS} drills ran in this process")
    with capsys.disabled():
        print(f"\n{drawn} drills: {dict(VERDICTS)}", end="")
    assert VERDICTS["pass"] >= LEAST_PASSES * SEEDS
    assert set(VERDICTS) == {"pass", "fail", "unproven", "refused"}


def test_every_family_and_many_lies_are_drawn() -> None:
    every = [draw(seed) for seed in range(SEEDS)]
    assert {item.family for item in every} == set(TARGETS)
    assert sum(item.honest for item in every) >= 0.2 * SEEDS
    assert len({name for item in every for name in item.told}) >= 20
