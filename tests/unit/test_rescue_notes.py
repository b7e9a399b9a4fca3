"""Before arming: what leads back by hand is saved, or nothing is touched."""

from __future__ import annotations

from pathlib import Path

import pytest

from blackstart.drill import Drill, DrillUnproven
from blackstart.errors import Refusal
from blackstart.faults.reboot import power_cut
from blackstart.safety.journal import Reading, read
from blackstart.terms import Terms
from tests.simulation.circumstances import circumstances_of, seen, unseen
from tests.simulation.drivers import site_of
from tests.simulation.inventories import small_site
from tests.simulation.world import World

from .test_drill import Watcher


def drill(root: Path, world: World, *, plan_only: bool = False, **notes: object) -> Drill:
    site = circumstances_of(site_of(world), notes=notes)
    terms = Terms(
        "test", 300.0, "lab", root / "drills/one", root / "drills", root / "leases", plan_only
    )
    return Drill(site, terms, Watcher())


def journal(root: Path) -> Reading:
    return read(root / "drills/one/journal.jsonl")


def test_notes_are_saved_before_anything_is_planned(tmp_path: Path) -> None:
    made = drill(tmp_path, World(small_site()), a1=seen("# a1\nauto vmbr0\n"))
    with pytest.raises(DrillUnproven), made.fault(power_cut("a1")):
        pass
    assert (tmp_path / "drills/one/rescue/a1.txt").read_text() == "# a1\nauto vmbr0\n"
    assert sorted(path.name for path in (tmp_path / "drills/one/rescue").iterdir()) == ["a1.txt"]
    steps = [entry.step for entry in journal(tmp_path).entries]
    assert steps.index("rescue.saved") < steps.index("fault.planned")
    assert isinstance(made.observer, Watcher)
    assert any("saved to put things back by hand" in note for note in made.observer.notes)


def test_without_notes_nothing_is_touched(tmp_path: Path) -> None:
    world = World(small_site())
    made = drill(tmp_path, world, a1=unseen("fstab: exit 1"))
    with pytest.raises(Refusal) as caught, made.fault(power_cut("a1")):
        pass
    assert caught.value.reasons == [
        "rescue: what leads back by hand cannot be saved: a1 (fstab: exit 1)"
    ]
    assert world.nodes["a1"].boot == 1
    assert not journal(tmp_path).of("fault.planned")
    assert not (tmp_path / "drills/one/rescue").exists()


def test_a_plan_saves_nothing(tmp_path: Path) -> None:
    made = drill(tmp_path, World(small_site()), plan_only=True, a1=unseen("not asked"))
    with made.fault(power_cut("a1")):
        pass
    assert not journal(tmp_path).of("rescue.saved")


def test_why_there_is_no_objection_is_in_the_journal(tmp_path: Path) -> None:
    with drill(tmp_path, World(small_site()), plan_only=True).fault(power_cut("a1")):
        pass
    said = {entry.data["guard"]: entry.data for entry in journal(tmp_path).of("guard.answer")}
    assert said["ups"]["because"] == "no UPS is declared"
    assert said["armed"] == {
        **said["armed"],
        "refusal": None,
        "waived": None,
        "because": "",
    }
