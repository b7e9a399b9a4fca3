"""Recover, halt and resume as a person types them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from blackstart.cli import blackstart
from blackstart.drivers.base import Site
from blackstart.errors import JournalError
from blackstart.safety.journal import Journal, read
from blackstart.safety.open_faults import PLANNED
from tests.simulation.drivers import site_of
from tests.simulation.inventories import small_site
from tests.simulation.world import World

PLAN = {
    "fault": "reboot",
    "target": "a1",
    "reversibility": "self-healing",
    "blast_radius": ["a1"],
    "rescue": ["ssh root@10.0.0.11 'systemctl --failed'"],
    "parameters": {"boot_budget_s": 60},
    "prior": {"boot_id": "boot-1"},
}


@pytest.fixture
def world() -> World:
    return World(small_site())


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, world: World) -> Path:
    """A directory with an inventory, and the simulated site behind it."""
    document = small_site().model_dump(mode="json", include={"site", "domain"})
    document["nodes"] = {"a1": {"address": "10.0.0.11"}}
    (tmp_path / "lab.yaml").write_text(json.dumps(document))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))

    class Connected:
        def __enter__(self) -> Site:
            return site_of(world)

        def __exit__(self, *_: object) -> None:
            """Nothing to close."""

    monkeypatch.setattr("blackstart.cli_recover.connect", lambda *_, **__: Connected())
    return tmp_path


def typed(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(blackstart, [*words, "--inventory", "lab.yaml"])
    return result.exit_code, result.output


def left_open(here: Path, world: World) -> Path:
    journal = Journal(here / "reports" / "drills" / "one", world.clock)
    journal.write(
        "drill.begin", site="lab", scenario="test", targets=["a1"], fault="reboot", budget_s=60
    )
    journal.write(PLANNED, plan=PLAN)
    journal.close()
    return journal.path


def test_nothing_open_is_said_and_is_0(here: Path) -> None:
    assert typed("recover") == (0, "nothing is open: there is no reports/drills\n")


def test_a_list_touches_nothing_and_is_3(here: Path, world: World) -> None:
    path = left_open(here, world)
    before = path.read_bytes()
    code, said = typed("recover", "--list")
    assert code == 3
    assert "reboot on a1" in said
    assert (path.read_bytes(), world.commands) == (before, [])


def test_what_is_open_is_put_back_and_proven(here: Path, world: World) -> None:
    path = left_open(here, world)
    code, said = typed("recover")
    assert code == 0, said
    assert "a1 has ended its boot" in said
    assert [entry.step for entry in read(path).entries][-2:] == ["fault.closed", "recover.ended"]
    told = json.loads((path.parent / "summary.json").read_text())
    assert told["open_faults"] == []
    assert "put back later by blackstart recover" in told["reason"]
    assert typed("recover") == (0, "nothing is open\n")


def test_what_cannot_be_put_back_is_3_with_the_way_by_hand(here: Path, world: World) -> None:
    left_open(here, world)
    world.nodes["a1"].up_at = world.clock.now + 100_000
    code, said = typed("recover")
    assert code == 3
    assert "NOT PUT BACK: reboot on a1" in said
    assert "by hand: ssh root@10.0.0.11" in said


def test_halt_and_resume(here: Path) -> None:
    assert typed("halt", "--why", "visitors")[0] == 0
    assert "drills may run again" in typed("resume")[1]
    assert "was not halted" in typed("resume")[1]


@pytest.mark.parametrize("words", [("recover",), ("recover", "--list")])
def test_a_damaged_journal_is_3_and_said(here: Path, world: World, words: tuple[str]) -> None:
    left_open(here, world).write_text("nonsense\n{}\n")
    code, said = typed(*words)
    assert code == 3
    assert "damaged or altered" in said
    assert "put back by hand" in said
    assert "nothing is open" not in said


def test_drills_that_are_no_directory_are_3(here: Path) -> None:
    (here / "reports").mkdir()
    (here / "reports" / "drills").write_text("")
    with pytest.raises(JournalError, match="cannot look for journals in reports/drills"):
        CliRunner().invoke(
            blackstart, ["recover", "--inventory", "lab.yaml"], catch_exceptions=False
        )
