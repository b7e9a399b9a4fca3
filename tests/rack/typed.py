"""``blackstart verify`` and its neighbours by the command that a person types."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.rack.command import COLD_S, eventually, rack
from tests.rack.drills import COLOURING, ROOT

VERIFY_S = 180.0
"""While nobody is away; a person with a site on hardware waits for some seconds."""
RESET_S, BACKUPS_S = 180.0, 600.0
BACKUPS = ("guest-backup.service", "etc-pve-backup.service")
Key = tuple[str, str]
"""A check and its target."""


@pytest.fixture(scope="module", autouse=True)
def as_new() -> Iterator[None]:
    """The rack is as new before and afterwards, and no backup of last night is made up for."""
    rack("up", timeout=COLD_S)
    rack("reset", timeout=RESET_S)
    for node in ("pve1", "pve2"):
        eventually(partial(_idle, node), BACKUPS_S)
    yield
    rack("reset", timeout=RESET_S)


def _idle(node: str) -> bool:
    said = rack("ssh", node, "--", f"systemctl is-active {' '.join(BACKUPS)}", check=False).stdout
    return said.split() == ["inactive"] * len(BACKUPS)


@dataclass(frozen=True)
class Typed:
    """How a command ended: its exit code, standard output and error, seconds."""

    code: int
    said: str
    errors: str
    took_s: float


def typed(*words: str, within_s: float, at: Path = ROOT, inside: bool = False) -> Typed:
    """Run ``blackstart WORDS`` in the directory ``at``; ``TimeoutExpired`` after ``within_s``.

    ``inside``: from within the rack's network, for an inventory that knows of no rack.
    """
    command = [sys.executable, "-m", "blackstart", *words]
    if inside:
        command = [sys.executable, "-m", "blackstart.rack", "exec", "--", *command]
    environment = {name: text for name, text in os.environ.items() if name not in COLOURING}
    began = time.monotonic()
    done = subprocess.run(
        command,
        cwd=at,
        env=environment | {"PYTHONPATH": str(ROOT), "COLUMNS": "200"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=within_s,
        check=False,
    )
    took_s = time.monotonic() - began
    print(f"$ blackstart {' '.join(words)}\n{done.stdout}{done.stderr}", end="")
    print(f"exit {done.returncode} after {took_s:.1f} s")
    return Typed(done.returncode, done.stdout, done.stderr, took_s)


@dataclass(frozen=True)
class Decided:
    """What ``verify --json`` wrote."""

    decision: str
    findings: Mapping[Key, Mapping[str, Any]]

    @classmethod
    def of(cls, file: Path) -> Decided:
        """Read it."""
        document = json.loads(file.read_text("utf-8"))
        found = {(item["check"], item["target"]): item for item in document["findings"]}
        return cls(document["decision"], found)

    def keys(self, verdict: str) -> set[Key]:
        """Findings of a verdict that the owner does not accept."""
        return {
            key
            for key, item in self.findings.items()
            if item["verdict"] == verdict and "accepted" not in item
        }

    def holding(self) -> set[Key]:
        """Claims that were looked at and hold, and not for want of anything to look at."""
        return {key for key in self.keys("pass") if "not_applicable" not in self.findings[key]}

    def told(self, keys: Iterable[Key]) -> str:
        """A line each, for whoever reads why a test failed."""
        return "\n".join(
            f"{self.findings[key]['verdict']} {key[0]} [{key[1]}]: {self.findings[key]['problem']}"
            for key in sorted(keys)
        )
