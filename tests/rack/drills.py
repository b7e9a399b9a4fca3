"""A drill on the rack by the command that a person types, and the places that tell of it."""

from __future__ import annotations

import itertools
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from blackstart.incident.declaring import declaring

ROOT = Path(__file__).parents[2]
INVENTORY = ROOT / "inventory" / "rack.yaml"
BOUND_S = 900.0
"""Guard, baseline, boot, the scenario's budget of 8 m, settling, and evidence: with room."""
LABELLED = re.compile(
    r"(?P<verdict>fail|unproven) +(?P<name>[a-z-]+) \[(?P<target>\S+)\]: (?P<why>.*)"
)
COLOURING = {"FORCE_COLOR", "PY_COLORS", "CLICOLOR_FORCE"}

Named = tuple[str, str]
"""An invariant and its target."""


@dataclass(frozen=True)
class Told:
    """What one drill told: its exit code, the terminal, ``summary.json``, its Allure result."""

    exit_code: int
    terminal: str
    summary: dict[str, Any]
    allure: dict[str, Any]

    def in_terminal(self, verdict: str) -> dict[Named, str]:
        """Reasons by invariant and target, as the terminal's last lines give them."""
        found = (LABELLED.fullmatch(line) for line in self.terminal.splitlines())
        return {
            (match["name"], match["target"]): match["why"]
            for match in found
            if match is not None and match["verdict"] == verdict
        }

    def in_summary(self, verdict: str) -> dict[Named, str]:
        """The same out of ``summary.json``."""
        return {
            (item["name"], item["target"]): item["reason"]
            for item in self.summary["invariants"]
            if item["verdict"] == verdict
        }

    def in_allure(self, status: str) -> dict[Named, str]:
        """The same out of the Allure result's steps: one a promise, in it one a target."""
        return {
            (step["name"].partition(":")[0], inner["name"]): inner["statusDetails"]["message"]
            for step in self.allure["steps"]
            for inner in step.get("steps", ())
            if inner["status"] == status and "message" in inner.get("statusDetails", {})
        }


@dataclass
class DrillRoom:
    """Runs drills one after the other, their evidence below one directory."""

    directory: Path
    _turns: Iterator[int] = field(default_factory=itertools.count)

    @property
    def drills(self) -> Path:
        """Where they keep their evidence: a fault that one leaves open blocks the next."""
        return self.directory / "drills"

    def run(
        self,
        scenario: str,
        node: str,
        budgets: Mapping[str, str] | None = None,
        *,
        file: str = "test_node_reboot.py",
    ) -> Told:
        """Run one scenario on one node, at most 900 s. ``TimeoutExpired`` after that.

        ``budgets`` are shorter ones than the inventory's, by the path of what they belong to
        (``guests/maas``), for what cannot come back: a broken promise is known sooner then.
        """
        shorter = {f"{path}/budget": budget for path, budget in (budgets or {}).items()}
        inventory = declaring(INVENTORY, shorter, self.directory)
        results = self.directory / f"results-{next(self._turns)}"
        before = set(self.drills.glob("*/summary.json"))
        words = ["-k", f"{scenario}[{node}]", "--inventory", str(inventory), "--arm", "rack"]
        words += ["--alluredir", str(results), "--drills", str(self.drills)]
        done = subprocess.run(
            [sys.executable, "-m", "pytest", f"scenarios/{file}", *words],
            cwd=ROOT,
            env={name: text for name, text in os.environ.items() if name not in COLOURING},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=BOUND_S,
            check=False,
        )
        print(done.stdout)
        (summary,) = set(self.drills.glob("*/summary.json")) - before
        (result,) = results.glob("*-result.json")
        return Told(
            done.returncode,
            done.stdout,
            json.loads(summary.read_text()),
            json.loads(result.read_text()),
        )
