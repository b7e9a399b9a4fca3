"""MAAS gives no facts, for each reason that its driver knows: reverted, unproven, and said why."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from blackstart.errors import DriverError

from .cases import tell
from .drilling import Harness
from .families import CASES, fault_of, shared_site
from .lies import Lies
from .world import World

REASONS = {
    "wrong key": "401 the key's secret (its third part) is wrong",
    "expired clock": "401 the clocks differ: this machine's is 4000 s behind MAAS', "
    "which accepts 300 s",
    "TLS": "MAAS: certificate verify failed: unable to get local issuer certificate; "
    "see `ca:` of maas",
    "down": "MAAS: Connection refused",
    "503": "MAAS answers 503: Service Unavailable",
}
MID_DRILL, FOR_EVER = 8.0, 9999.0


def told(tmp_path: Path, reason: str, begins: float, ends: float, verdict: str) -> str:
    """The story of a drill whose MAAS is away for a time (seconds since the world began)."""
    folder = Path(shutil.copytree(CASES / "maas-answers-503", tmp_path / "case"))
    world = {"maas_refuses": {reason: [begins, ends]}}
    (folder / "world.yaml").write_text(json.dumps(world))
    commands = folder / "commands"
    commands.write_text(commands.read_text().replace("unproven", verdict))
    root = tmp_path / "root"
    root.mkdir()
    return tell(folder, root)


@pytest.mark.parametrize("reason", REASONS.values(), ids=REASONS)
@pytest.mark.parametrize("begins", [0.0, MID_DRILL], ids=["from the start", "mid-drill"])
def test_each_reason_is_said_and_the_fault_is_reverted(
    reason: str, begins: float, tmp_path: Path
) -> None:
    story = told(tmp_path, reason, begins, FOR_EVER, "unproven")
    when = "after" if begins else "before"
    assert f"maas/version {when}: {reason}" in story
    assert "fault.closed how=reverted" in story


def test_a_maas_that_is_back_in_time_is_compared(tmp_path: Path) -> None:
    story = told(tmp_path, REASONS["503"], MID_DRILL, MID_DRILL + 4, "pass")
    assert "nothing-else-changed x1" in story


@pytest.mark.parametrize("reason", REASONS.values(), ids=REASONS)
@pytest.mark.parametrize("begins", [6.2, MID_DRILL], ids=["at the import", "while it imports"])
def test_an_import_is_reverted_although_maas_says_nothing_more(
    reason: str, begins: float, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(CASES / "image-sync", tmp_path / "case"))
    (folder / "world.yaml").write_text(json.dumps({"maas_refuses": {reason: [begins, FOR_EVER]}}))
    commands = folder / "commands"
    commands.write_text(commands.read_text().replace("verdict pass", "verdict unproven"))
    root = tmp_path / "root"
    root.mkdir()
    story = tell(folder, root)
    said = f"maas/version after: {reason}" if begins == MID_DRILL else f"Rejected: {reason}"
    assert said in story
    assert "memory of dns1 has not grown for 30 s" in story
    assert "fault.closed how=reverted" in story


@pytest.mark.parametrize("reason", REASONS.values(), ids=REASONS)
def test_no_import_is_begun_by_a_maas_that_says_nothing(reason: str, tmp_path: Path) -> None:
    harness = Harness(tmp_path, World(shared_site(), Lies(maas_refuses={reason: (0.0, FOR_EVER)})))
    with pytest.raises(DriverError, match=re.escape(reason)):
        harness.run(fault_of("image-sync"))
    assert "import" not in harness.world.bitten
    assert not harness.open()
    assert harness.verdict() == "unproven"
