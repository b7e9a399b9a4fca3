"""The kill sweep: SIGKILL at every point of a drill, by forking the whole test process there.

At a point the process forks. In the child the harness is dead at once, as after SIGKILL: its
stack is never returned to, so that no ``finally`` and no handler of it ever runs, and what it
had on disk is copied as it was. The world lives on in the child, which judges what became of
it and ends. The parent goes on to the next point. Nobody lists points: they are found while
the drill runs. Only a step that follows itself (guard after guard) is one point.
"""

from __future__ import annotations

import gc
import json
import os
import shutil
import tempfile
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

from blackstart.drivers.base import Site
from blackstart.safety.journal import Entry, Journal

from .world import World

MUTATING_DRIVERS = ("runner", "power", "deadmen", "guests", "images")
SHM = Path("/dev/shm")
AGAIN = "again after"
"""A second death after a step, for those that are judged in another way."""


def scratch() -> Path:
    """A new directory in memory, where there is such a place: a sweep fsyncs ten thousand times."""
    return Path(tempfile.mkdtemp(prefix="blackstart-sweep-", dir=SHM if SHM.is_dir() else None))


@dataclass
class Swept:
    """What a sweep found; ``points`` are named after what the harness was about to do."""

    points: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Kill:
    """One death: where, and the files it left (a copy). ``torn`` when a line was half written."""

    point: str
    root: Path


def fork() -> int:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # 3.12, of threads that others left
        return os.fork()


Aftermath = Callable[[Kill], Swept | None]
"""Judges what became of the world, in the child. Raises ``AssertionError``; may sweep on."""


@dataclass
class Reaper:
    """Kills a harness that works in ``root`` on ``world`` at every point it comes to.

    ``at_once`` children live at the same time; after the journal steps in ``twice`` it dies
    a second time.
    """

    world: World
    root: Path
    aftermath: Aftermath
    at_once: int = 1
    twice: frozenset[str] = frozenset()
    swept: Swept = field(default_factory=Swept)
    _mutating: set[int] | None = None
    _calls: int = 0
    _changed: set[int] = field(default_factory=set)
    _dying: list[tuple[str, int, int]] = field(default_factory=list)

    def kill_at(self, point: str, *, tear: Path | None = None) -> None:
        """Die here, in a child; the parent returns. ``tear``: a journal to cut short."""
        if self._mutating is None:
            return
        self.swept.points.append(point)
        left = scratch()  # copied before the parent goes on to write
        shutil.copytree(self.root, left, dirs_exist_ok=True)
        reading, writing = os.pipe()
        child = fork()
        if child == 0:
            os.close(reading)
            self._die(Kill(point, left), tear, writing)
        os.close(writing)
        self._dying.append((point, child, reading))
        if len(self._dying) >= self.at_once:
            self._bury()

    def _bury(self) -> None:
        """Wait for the oldest child, and keep what it found."""
        point, child, reading = self._dying.pop(0)
        with os.fdopen(reading) as pipe:
            text = pipe.read()
        os.waitpid(child, 0)
        found = json.loads(text) if text else {"points": [], "failures": ["the child died"]}
        self.swept.points += found["points"]
        self.swept.failures += [f"{point}: {failure}" for failure in found["failures"]]

    def _die(self, kill: Kill, tear: Path | None, writing: int) -> None:
        """In the child: what a SIGKILL leaves, and what becomes of it. Never returns."""
        found = Swept()
        try:
            gc.disable()
            self._dying.clear()
            self._mutating = None  # the dead kill nobody
            self.world.clock.on_tick.clear()
            if tear is not None:
                journal = kill.root / tear.relative_to(self.root)
                lines = journal.read_bytes().splitlines(keepends=True)
                journal.write_bytes(b"".join(lines[:-1]) + lines[-1][: len(lines[-1]) // 2])
            found = self.aftermath(kill) or found
        except BaseException as error:
            said = str(error) or traceback.format_exc()
            found.failures.append(f"{type(error).__name__}: {said}")
        finally:
            shutil.rmtree(kill.root, ignore_errors=True)
            answer = {"points": found.points, "failures": found.failures}
            os.write(writing, json.dumps(answer).encode())
            os._exit(0)

    # -- where the points are ------------------------------------------------------------

    def sweep(self, act: Callable[[Site], None], site: Callable[[], Site]) -> Swept:
        """Run ``act`` twice: in a child to see which calls change the world, then to die in."""
        self._mutating = set(self._rehearse(act, site))
        self.world.halfway = lambda what: self.kill_at(f"halfway through {what}")
        with self._journal():
            act(self._watched(site()))
        while self._dying:
            self._bury()
        return self.swept

    def _rehearse(self, act: Callable[[Site], None], site: Callable[[], Site]) -> list[int]:
        reading, writing = os.pipe()
        child = fork()
        if child == 0:
            said: object = "rehearsal died"
            kept = scratch()
            try:
                shutil.copytree(self.root, kept, dirs_exist_ok=True)
                act(self._watched(site()))
                said = sorted(self._changed)
            except BaseException as error:
                said = f"{type(error).__name__}: {error}"
            finally:
                shutil.rmtree(self.root)
                shutil.copytree(kept, self.root)
                shutil.rmtree(kept)
                os.write(writing, json.dumps(said).encode())
                os._exit(0)
        os.close(writing)
        with os.fdopen(reading) as pipe:
            answer = json.loads(pipe.read())
        os.waitpid(child, 0)
        assert isinstance(answer, list), f"a clean run failed: {answer}"
        return answer

    @contextmanager
    def _journal(self) -> Iterator[None]:
        original = Journal.write

        last = ""

        def write(journal: Journal, step: str, **data: Any) -> Entry:
            nonlocal last
            if step == last:  # the nineteenth guard's answer leaves what the first one left
                return original(journal, step, **data)
            last = step
            self.kill_at(f"before {step}")
            entry = original(journal, step, **data)
            self.kill_at(f"torn {step}", tear=journal.path)
            self.kill_at(f"after {step}")
            if step in self.twice:
                self.kill_at(f"{AGAIN} {step}")
            return entry

        with patch.object(Journal, "write", write):
            yield

    def _watched(self, site: Site) -> Site:
        named = {name: Watched(getattr(site, name), self) for name in MUTATING_DRIVERS}
        return replace(site, **named)  # type: ignore[arg-type]

    def call(self, name: str, run: Callable[[], Any]) -> Any:
        """One driver call, with a death before and after it when it changes the world."""
        self._calls += 1
        number, swept = self._calls, self._mutating
        if swept is None:
            before = fingerprint(self.world)
            try:
                return run()
            finally:
                if fingerprint(self.world) != before:
                    self._changed.add(number)
        if number not in swept:
            return run()
        self.kill_at(f"calling {name}")
        answer = run()
        self.kill_at(f"called {name}")
        return answer


@dataclass(frozen=True)
class Watched:
    """A driver, each call of which is a place to die."""

    driver: Any
    reaper: Reaper

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self.driver, name)

        def call(*args: Any, **named: Any) -> Any:
            said = " ".join(str(arg)[:60] for arg in args[:2])
            return self.reaper.call(f"{name} {said}", lambda: method(*args, **named))

        return call


def fingerprint(world: World) -> str:
    """The whole state of a world, without its time."""
    imports = (world.image_import.began_at, world.image_import.whole)
    return repr((world.hosts, world.nodes, world.guests, world.deadmen, imports))
