"""Ctrl-C: the first one reverts, a second one during the revert says what it leaves.

And it may come anywhere: after every step of the journal, of a fault of each kind.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from blackstart.drill import Drill
from blackstart.faults.base import Plan
from blackstart.faults.undoing import Undoing
from blackstart.safety.journal import Entry, Journal
from tests.simulation.drilling import Harness
from tests.simulation.families import fault_of, shared_site
from tests.simulation.world import World


@pytest.fixture
def harness(tmp_path: Path) -> Harness:
    return Harness(tmp_path, World(shared_site()))


def ctrl_c(drill: Drill) -> None:
    raise KeyboardInterrupt


def second_ctrl_c(self: Undoing, site: object, plan: Plan) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("family", ["nas-block", "guest-stop", "memory", "reboot"])
def test_the_first_reverts(harness: Harness, family: str) -> None:
    with pytest.raises(KeyboardInterrupt):
        harness.run(fault_of(family), body=ctrl_c)
    assert harness.verdict() == "unproven"
    assert not harness.open()
    harness.world.clock.pass_without_harness(60.0)
    assert not harness.world.ails()


def test_the_second_says_what_it_leaves(harness: Harness) -> None:
    with patch.object(Undoing, "revert", second_ctrl_c), pytest.raises(KeyboardInterrupt):
        harness.run(fault_of("nas-block"), body=ctrl_c)
    said = "\n".join(harness.watcher.notes)
    assert "left as it is: nas-block on nas1; run: blackstart recover" in said
    assert "nas1 undoes it in 12 s by itself" in said
    assert "rescue: ssh root@10.0.0.13 'nft delete table" in said
    assert "fault.abandoned" in harness.steps()
    assert harness.steps()[-1] == "drill.end"
    assert len(harness.open()) == 1
    harness.world.clock.pass_without_harness(22.0)
    assert not harness.world.ails()  # its dead-man
    assert [item.proof.holds for item in harness.recover()] == [True]
    assert not harness.open()


@contextmanager
def interrupted_after(number: int) -> Iterator[None]:
    """One Ctrl-C, right after the line with this number has been written."""
    original = Journal.write

    def write(journal: Journal, step: str, **data: Any) -> Entry:
        entry = original(journal, step, **data)
        if entry.seq == number:
            raise KeyboardInterrupt
        return entry

    with patch.object(Journal, "write", write):
        yield


@pytest.mark.parametrize("family", ["nas-block", "guest-stop", "memory", "reboot"])
def test_anywhere(tmp_path: Path, family: str) -> None:
    clean = Harness(tmp_path / "clean", World(shared_site()))
    assert clean.run(fault_of(family), hold_s=2.0) == "pass"
    wrong: list[str] = []
    for number, step in enumerate(clean.steps()[:-1]):
        harness = Harness(tmp_path / str(number), World(shared_site()))
        with interrupted_after(number), pytest.raises(KeyboardInterrupt):
            harness.run(fault_of(family), hold_s=2.0)
        wrong += [f"after {number} {step}: {said}" for said in loose_ends(harness)]
    assert not wrong, "\n".join(wrong)


def loose_ends(harness: Harness) -> Iterator[str]:
    """What an interrupted drill left undone: in its journal, in the world, after recover."""
    world, steps = harness.world, harness.steps()
    if harness.open() and "fault.abandoned" not in steps:
        yield f"open without a word: {steps[-3:]}"
    if "fault.planned" in steps:
        ended = harness.journal().of("drill.end")
        if not ended:
            yield f"its journal has no end: {steps[-3:]}"
        elif ended[-1].data["verdict"] == "pass":
            yield "it passed"
    world.clock.pass_without_harness(90.0)
    if world.left_behind():
        yield f"left behind: {world.left_behind()}"
    harness.recover()
    world.clock.pass_without_harness(60.0)
    if harness.open() or world.ails():
        yield f"after recover: {harness.open()} {world.ails()}"
