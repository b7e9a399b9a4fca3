"""A pytest session of its own, in which pretended drills tell Allure."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]
SCENARIOS = '''
from pathlib import Path

import pytest

from blackstart.errors import BlackstartError
from blackstart.evidence.allure_live import AllureObserver
from blackstart.evidence.files import EvidenceFiles
from tests.unit.evidence import drill_directory as told

class Unproven(BlackstartError):
    exit_code = 3

ENDS = {
    "passed": (told.PASSED, None),
    "failed": (told.FAILED, AssertionError("FAIL guests-boot [k3s1]: stopped")),
    "idle": (told.DID_NOT_BITE, Unproven("UNPROVEN fault-bit [pve1]: it did not bite")),
    "refused": (told.REFUSED, Unproven("refused: consent: pve1 has not opted in")),
}

@pytest.mark.parametrize("node", ENDS)
def test_node_reboot(node):
    """Every guest of a rebooted hypervisor is back."""
    story, error = ENDS[node]
    directory = told.make(Path("reports/drills"), story, list(ENDS).index(node))
    observer, files = AllureObserver(), EvidenceFiles(print)
    observer.phase_begin("guard", "may we reboot pve1?")
    observer.note("armed: no objection")
    observer.phase_end("guard", "done")
    observer.phase_begin("judge", "invariants")
    observer.note("pass guests-boot [maas]")
    observer.phase_end("judge", "interrupted" if error else "done")
    files.drill_end(directory)
    observer.drill_end(directory)
    if error is not None:
        raise error
'''


def run(directory: Path) -> Path:
    """Run the session in ``directory``; returns its ``reports/results``."""
    scenarios = directory / "scenarios"
    scenarios.mkdir()
    (scenarios / "test_node_reboot.py").write_text(SCENARIOS)
    results = directory / "reports" / "results"
    plugins = ["-p", "no:blackstart", "-p", "no:cacheprovider"]
    command = [sys.executable, "-m", "pytest", "-q", *plugins, f"--alluredir={results}"]
    done = subprocess.run(
        [*command, "--rootdir", str(directory), "scenarios"],
        cwd=directory,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert "3 failed, 1 passed" in done.stdout, done.stdout + done.stderr
    return results


def by_node(results: Path) -> dict[str, dict[str, Any]]:
    """Every result, by the value of its ``node``."""
    found = [json.loads(path.read_text()) for path in results.glob("*-result.json")]
    return {result["name"].partition("[")[2].rstrip("]"): result for result in found}
