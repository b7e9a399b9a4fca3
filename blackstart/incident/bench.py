"""The rack as a replay uses it: the commands that a person types, each in its own process."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import tempfile
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from blackstart.errors import Unproven
from blackstart.incident import process
from blackstart.incident.declaring import declaring
from blackstart.incident.model import Changes, DrillOf, Step
from blackstart.incident.records import Drilled, Verified
from blackstart.model.drift_mark import MARK, look_for
from blackstart.model.finding import Finding
from blackstart.model.inventory import Inventory
from blackstart.model.verdict import Judgement, Verdict

READY = "/usr/lib/blackstart-rack/ready"
RESET_S, LOGIN_S, VERIFY_S, DRILL_S = 180.0, 30.0, 660.0, 1800.0
PAUSE_S = 3.0
ADDED = frozenset({"number", "blocks_boot", "accepted"})
"""What the decision's document adds to a finding."""
SAID = 600
REPLAYED = "this drill is to show what the drift does"


@dataclass(frozen=True)
class RackBench:
    """One site, which is a rack; ``checkout`` holds its scenarios, ``log`` what was printed."""

    file: Path
    inventory: Inventory
    checkout: Path
    log: Path

    def reset(self) -> None:
        """``blackstart rack reset``. Raises ``Unproven``."""
        self._rack("reset", timeout_s=RESET_S)

    def mark(self, text: str) -> None:
        """A file on the last declared machine. Raises ``Unproven``."""
        self._on(self._keeper, f"printf '%s\\n' {shlex.quote(text)} >{MARK} && sync", LOGIN_S)

    def marked(self) -> str:
        """What stands in it. Raises ``Unproven``."""
        return self._on(self._keeper, look_for(MARK), LOGIN_S).strip()

    def run(self, step: Step) -> None:
        """As root's shell runs it. Raises ``Unproven``."""
        self._on(step.host, step.run, step.timeout)

    def ill(self, bound_s: float) -> str:
        """What the machines' own look at themselves says, asked every 3 s."""
        deadline = time.monotonic() + bound_s
        while True:
            with ThreadPoolExecutor(len(self.inventory.nodes)) as pool:
                looks = list(pool.map(self._not_ready, self.inventory.nodes))
            wrong = "; ".join(filter(None, looks))
            if not wrong or time.monotonic() > deadline:
                return wrong
            time.sleep(PAUSE_S)

    def verify(self, act: str | None, declares: Changes) -> Verified:
        """Raises ``Unproven`` when there is no decision."""
        with tempfile.TemporaryDirectory() as scratch:
            os.chmod(scratch, 0o755)  # noqa: PTH101, S103 - who calls may be another user
            output = Path(scratch) / "decision.json"
            inventory = declaring(self.file, declares, Path(scratch))
            words = ["verify", "--inventory", str(inventory), "--json", str(output)]
            words += ["--before", act] if act is not None else []
            done = self._blackstart("blackstart", *words, timeout_s=VERIFY_S)
            if not output.exists():
                raise Unproven(f"verify gave no decision: {_said(done)}")
            return verified(json.loads(output.read_text("utf-8")))

    def drill(self, drill: DrillOf, declares: Changes, directory: Path) -> Drilled:
        """Raises ``Unproven`` when it left no summary.

        What an earlier replay left in ``directory`` goes first: a drill that was killed there is
        still open in its journal, though the rack was reset, and would have this one refused.
        """
        if directory.exists():
            shutil.rmtree(directory)
        inventory = declaring(self.file, {**declares, **drill.declares}, directory)
        words = [f"scenarios/{drill.scenario}", "--inventory", str(inventory)]
        words += ["--arm", self.inventory.site, "--drills", str(directory)]
        for guard, reason in {**drill.waive, "drift": REPLAYED}.items():
            words += ["--waive", f"{guard}={reason}"]
        done = self._blackstart("pytest", *words, timeout_s=DRILL_S)
        made = [*directory.glob("*/summary.json")]
        if len(made) != 1:
            raise Unproven(f"{drill.scenario} left {len(made)} summaries: {_said(done)}")
        return drilled(json.loads(made.pop().read_text("utf-8")))

    @property
    def _keeper(self) -> str:
        return [*self.inventory.nodes][-1]

    def _not_ready(self, machine: str) -> str:
        try:
            done = self._blackstart(
                "blackstart.rack", "ssh", machine, "--", READY, timeout_s=LOGIN_S
            )
        except Unproven as error:
            return str(error)
        return "" if done.returncode == 0 else f"{machine}: {_said(done)}"

    def _on(self, host: str, script: str, timeout_s: float) -> str:
        return self._rack("ssh", host, "--", script, timeout_s=timeout_s).stdout

    def _rack(self, *words: str, timeout_s: float) -> subprocess.CompletedProcess[str]:
        done = self._blackstart("blackstart.rack", *words, timeout_s=timeout_s)
        if done.returncode != 0:
            called = " ".join(words[:2])
            raise Unproven(f"rack {called} exited {done.returncode}: {_said(done)}")
        return done

    def _blackstart(
        self, module: str, *words: str, timeout_s: float
    ) -> subprocess.CompletedProcess[str]:
        """Run one of our commands, and keep what it printed. Raises ``Unproven`` if late."""
        return process.run(
            module, words, directory=self.checkout, log=self.log, timeout_s=timeout_s
        )


def verified(document: Mapping[str, Any]) -> Verified:
    """What a decision's document (``verify --json``) says.

    Raises ``pydantic.ValidationError`` for a finding that is none.
    """
    found = [
        (
            Finding.model_validate({key: it[key] for key in it.keys() - ADDED}),
            "accepted" in it,
        )
        for it in document["findings"]
    ]
    holding = [it for it, _ in found if it.verdict is Verdict.PASS]
    return Verified(
        decision=document["decision"],
        wrong=tuple(it for it, leave in found if it.verdict is not Verdict.PASS and not leave),
        accepted=tuple(it.key for it, leave in found if leave),
        good=tuple(it.key for it in holding if it.not_applicable is None),
        not_applicable=tuple(it.key for it in holding if it.not_applicable is not None),
    )


def drilled(summary: Mapping[str, Any]) -> Drilled:
    """What a drill's ``summary.json`` says."""
    return Drilled(
        verdict=Verdict(summary["verdict"]),
        reason=summary["reason"],
        refused=tuple(summary["refused"]),
        judged=tuple(Judgement.model_validate(item) for item in summary["invariants"]),
    )


def _said(done: subprocess.CompletedProcess[str]) -> str:
    return " ".join(f"{done.stdout} {done.stderr}".split())[-SAID:] or "nothing was said"
