"""Cases: stories that a person can read, told by the production code on a simulated site.

A case is a folder of ``tests/cases``: ``commands`` (one a line), ``world.yaml`` (what the
world does wrong, ``Lies``; may be missing), ``inventory.yaml`` (the shared one, when missing)
and ``journal.golden``. The commands:

    drill FAMILY TARGET [hold SECONDS]     FAMILY as in ``families.FAMILIES``
    drill FAMILY TARGET then FAMILY TARGET the second fault follows the first
    kill after STEP                        SIGKILL of the drill before it, at a journal step
    halt after STEP                        somebody halts while the drill before it runs
    wait SECONDS, recover, halt, resume
    expect open NUMBER                     faults that journals leave open
    expect verdict VERDICT                 of the last drill that ended
    expect refused TEXT                    why the last drill was refused
    expect healed / expect ails TEXT       the world itself, whatever anybody believes
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

from ruamel.yaml import YAML

from blackstart.errors import Refusal
from blackstart.inventory_file import load
from blackstart.safety.halt import halt, resume
from blackstart.safety.journal import Entry, Journal

from .drilling import Harness
from .families import CASES, fault_of
from .killing import fork, scratch
from .telling import Telling
from .world import Lies, World


class Dead(BaseException):
    """Unwinds the harness in the process that no longer matters."""


@dataclass
class Story:
    """One case as it runs; ``lines`` is what becomes the golden journal."""

    folder: Path
    root: Path
    world: World = field(init=False)
    harness: Harness = field(init=False)
    lines: list[str] = field(default_factory=list)
    drills: int = 0
    refused: str = ""

    def __post_init__(self) -> None:
        own, lies = self.folder / "inventory.yaml", self.folder / "world.yaml"
        inventory = load(own if own.exists() else CASES / "inventory.yaml")
        told = YAML(typ="safe").load(lies.read_text()) if lies.exists() else {}
        self.world = World(inventory, Lies.told(told or {}))
        self.harness = Harness(self.root, self.world)

    def tell(self) -> str:
        """Run every command. Raises ``AssertionError`` for an ``expect`` that does not hold."""
        self._run(list(_commands(self.folder / "commands")))
        return "\n".join(self.lines) + "\n"

    def _run(self, commands: list[list[str]]) -> None:
        while commands:
            verb, *words = commands.pop(0)
            if verb != "drill":
                getattr(self, f"_{verb}")(*words)
                continue
            during = []
            while commands and commands[0][1:2] == ["after"]:
                during.append(commands.pop(0))
            self._drill(*words, during=during, rest=commands)

    def _say(self, text: str) -> None:
        self.lines.append(f"{self.world.elapsed:7.1f}  {text}")

    # -- commands --------------------------------------------------------------------------

    def _drill(
        self, family: str, target: str, *more: str, during: list[list[str]], rest: list[list[str]]
    ) -> None:
        self.drills += 1
        name, self.refused = f"{self.drills}-{family}", ""
        words = list(more)
        hold_s = float(words.pop(1)) if words[:1] == ["hold"] else 0.0
        then = [fault_of(*words[at + 1 : at + 3]) for at, it in enumerate(words) if it == "then"]
        self._say(" ".join(["$ drill", family, target, *more]))
        try:
            with self._meanwhile(during, rest, name):
                self.harness.run(fault_of(family, target), name=name, then=then, hold_s=hold_s)
        except Refusal as error:
            self.refused = str(error)
        except Dead:
            rest.clear()
            return
        self._journal(name)

    def _journal(self, name: str) -> None:
        self.lines += Telling(self.root).lines(self.harness.journal(name).entries)

    @contextmanager
    def _meanwhile(
        self, during: list[list[str]], rest: list[list[str]], name: str
    ) -> Iterator[None]:
        original = Journal.write

        def write(journal: Journal, step: str, **data: Any) -> Entry:
            entry = original(journal, step, **data)
            for verb, _, at in tuple(during):
                if at == step and verb == "halt":
                    halt(self.harness.leases, self.world.inventory.site, "the owner said stop")
                if at == step and verb == "kill":
                    self._die(name, step, during, rest)
            return entry

        with patch.object(Journal, "write", write):
            yield

    def _die(self, name: str, step: str, during: list[list[str]], rest: list[list[str]]) -> None:
        """The rest of the story happens in a child whose harness is dead; its lines are ours."""
        reading, writing = os.pipe()
        if (child := fork()) == 0:
            answer: tuple[list[str], str] = ([], "")
            try:
                root = scratch()
                shutil.copytree(self.root, root, dirs_exist_ok=True)
                self.root, self.world.clock.on_tick = root, []
                self.harness = Harness(root, self.world)
                during.clear()  # who is dead kills nobody
                self._journal(name)
                self._say(f"killed (SIGKILL) after {step}")
                self._run(rest)
                shutil.rmtree(root)
                answer = (self.lines, "")
            except BaseException as error:
                answer = (self.lines, f"{type(error).__name__}: {error}")
            finally:
                os.write(writing, json.dumps(answer).encode())
                os._exit(0)
        os.close(writing)
        with os.fdopen(reading) as pipe:
            self.lines, wrong = json.loads(pipe.read())
        os.waitpid(child, 0)
        assert not wrong, f"{wrong}\n" + "\n".join(self.lines)
        raise Dead

    def _wait(self, seconds: str) -> None:
        self._say(f"$ wait {seconds}")
        before = set(self.world.deadmen)
        self.world.clock.pass_without_harness(float(seconds))
        for name in before - set(self.world.deadmen):
            self._say(f"dead-man {name} has undone its fault and is gone")

    def _recover(self) -> None:
        self._say("$ recover")
        done = self.harness.recover()
        for item in done:
            what = f"{item.fault.plan.fault} on {item.fault.plan.target}"
            self._say(f"{'put back' if item.proof.holds else 'NOT PUT BACK'}: {what}")
            self._say(f"  {item.proof.detail}")
        if not done:
            self._say("nothing is open")

    def _halt(self) -> None:
        self._say("$ halt")
        halt(self.harness.leases, self.world.inventory.site, "the owner said stop")

    def _resume(self) -> None:
        self._say("$ resume")
        resume(self.harness.leases, self.world.inventory.site)

    def _expect(self, what: str, *words: str) -> None:
        text, ails = " ".join(words), self.world.ails()
        seen: object = ails
        if what == "open":
            seen = len(self.harness.open())
            held = seen == int(text)
        elif what == "verdict":
            last = sorted(self.harness.drills.iterdir(), key=lambda path: int(path.name[0]))[-1]
            seen = self.harness.verdict(last.name)
            held = seen == text
        elif what == "refused":
            seen, held = self.refused, text in self.refused and bool(self.refused)
        elif what == "ails":
            held = any(text in item for item in ails)
        else:
            assert what == "healed", f"nobody can expect {what!r}"
            held = not ails
        assert held, f"expect {what} {text}: {seen}\n" + "\n".join(self.lines)


def _commands(path: Path) -> Iterator[list[str]]:
    for line in path.read_text().splitlines():
        words = re.sub(r"#.*", "", line).split()
        if words:
            yield words


def tell(folder: Path, root: Path) -> str:
    """One case, as text."""
    return Story(folder, root).tell()
