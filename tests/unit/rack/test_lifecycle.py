"""Whose rack it is: another clone's is never ended unasked, a dead one is cleaned up."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from rich.console import Console

from blackstart.rack import host, image, lifecycle, network, record, status
from blackstart.rack.errors import HostError, RackError
from blackstart.rack.home import CLONE
from blackstart.rack.phases import Phases
from blackstart.rack.record import Process, Record
from tests.unit.rack.small import SMALL

Up = Callable[..., str]


class ReachedTheImageError(Exception):
    """Raised in place of building: everything before has let the rack through."""


@pytest.fixture(autouse=True)
def isolated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing here touches this host's real rack."""
    runtime = tmp_path / "run"
    for module in (record, lifecycle):
        monkeypatch.setattr(module, "RUNTIME", runtime)
    monkeypatch.setattr(lifecycle, "LOCK", tmp_path / "lock")
    monkeypatch.setattr(lifecycle, "LOCK_TIMEOUT_S", 0.2)
    monkeypatch.setattr(network, "exists", lambda: False)
    monkeypatch.setattr(host, "missing", list)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    def stop_here(*_: object) -> None:
        raise ReachedTheImageError

    monkeypatch.setattr(image, "ensure", stop_here)


@pytest.fixture
def controller() -> Iterator[Process]:
    """A process that stands for a running rack's controller."""
    with subprocess.Popen(["sleep", "60"]) as child:
        process = Process.of(child.pid)
        assert process is not None
        yield process
        child.kill()


@pytest.fixture
def up() -> Up:
    phases = Phases(Console(quiet=True))

    def bring_up(*, take_over: bool = False, fresh: bool = False) -> str:
        return lifecycle.up(SMALL, phases, take_over=take_over, fresh=fresh)

    return bring_up


def running(controller: Process | None, *, clone: str = "/other", topology: str = "small") -> None:
    Record(topology, clone, "/home", "ready", controller).write()


@pytest.mark.parametrize(
    ("whose", "named"),
    [({"clone": "/other"}, "/other"), ({"clone": str(CLONE), "topology": "big"}, "'big'")],
)
def test_another_rack_is_not_ended_unasked(
    controller: Process, up: Up, whose: dict[str, str], named: str
) -> None:
    running(controller, **whose)
    with pytest.raises(HostError, match=named) as refused:
        up()
    assert refused.value.exit_code == 2
    assert "--replace" in str(refused.value)
    assert controller.alive


def test_another_rack_is_taken_over_when_asked(controller: Process, up: Up) -> None:
    running(controller)
    with pytest.raises(ReachedTheImageError):
        up(take_over=True)
    assert not controller.alive
    assert record.read() is None


def test_another_rack_whose_controller_died_is_cleaned_up(up: Up) -> None:
    running(None)
    with pytest.raises(ReachedTheImageError):
        up()
    assert record.read() is None


def test_an_own_rack_that_is_not_as_it_should_be_is_started_anew(
    controller: Process, up: Up
) -> None:
    running(controller, clone=str(CLONE))
    with pytest.raises(ReachedTheImageError):
        up()
    assert not controller.alive


def test_an_own_healthy_rack_is_left_alone(
    controller: Process, up: Up, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    home = tmp_path / "cache/blackstart/rack" / lifecycle.disks.home_name(SMALL)
    entry = Record("small", str(CLONE), str(home), "ready", controller)
    entry.write()
    on = {"one": {"power": "On"}}
    monkeypatch.setattr(status, "observe", lambda: status.Status(entry, on, kvm=False, problem=""))
    assert up() == "the rack is up already"
    assert controller.alive


def test_an_own_rack_that_was_too_slow_is_waited_for_again(
    controller: Process, up: Up, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    home = tmp_path / "cache/blackstart/rack" / lifecycle.disks.home_name(SMALL)
    home.mkdir(parents=True)
    entry = Record("small", str(CLONE), str(home), "not ready", controller)
    entry.write()
    on = {"one": {"power": "On"}}
    monkeypatch.setattr(status, "observe", lambda: status.Status(entry, on, kvm=False, problem=""))
    monkeypatch.setattr(lifecycle.readiness, "wait", lambda *_: None)
    monkeypatch.setattr(lifecycle.client, "call", lambda *_, **__: {"build": "b1"})
    assert up() == "the rack is up already"
    after = record.read()
    assert after is not None
    assert after.phase == "ready"
    assert after.files().saved.exists()


def test_reset_of_another_clones_rack_is_refused(controller: Process) -> None:
    running(controller)
    with pytest.raises(HostError, match="/other"):
        lifecycle.reset(SMALL, Phases(Console(quiet=True)))


def test_reset_without_a_rack_or_saved_state_says_so(controller: Process) -> None:
    phases = Phases(Console(quiet=True))
    with pytest.raises(HostError, match="no rack is up"):
        lifecycle.reset(SMALL, phases)
    running(controller, clone=str(CLONE))
    with pytest.raises(HostError, match="no saved state"):
        lifecycle.reset(SMALL, phases)


def test_down_ends_the_controller_and_its_noted_machines(
    controller: Process, tmp_path: Path
) -> None:
    running(controller)
    with subprocess.Popen(["sleep", "60"]) as machine:
        record.note_machine("one", machine.pid)
        assert lifecycle.down()
        assert machine.wait(5) < 0
    assert not controller.alive
    assert not (tmp_path / "run").exists()
    assert not lifecycle.down()


def test_only_one_at_a_time_and_the_wait_is_bounded() -> None:
    with (
        lifecycle.exclusive(),
        pytest.raises(RackError, match="at work"),
        lifecycle.exclusive(),
    ):
        pass
