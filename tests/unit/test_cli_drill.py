"""Which drills ``blackstart drill`` runs."""

from __future__ import annotations

import pytest

from blackstart.cli_drill import MAIN_JOB, Extent, choice
from tests.rack.drills import ROOT


@pytest.mark.parametrize(
    ("extent", "words", "chosen"),
    [
        (None, (), [MAIN_JOB, "--tour"]),
        (None, ("--plan",), [MAIN_JOB, "--tour"]),
        ("each", (), ["scenarios", "--tour"]),
        ("all", (), ["scenarios"]),
        (None, ("-k", "docker"), ["scenarios"]),
        (None, ("-kdocker",), ["scenarios"]),
        (None, (f"{MAIN_JOB}::test_power_cut",), []),
        ("each", ("scenarios/test_nas_outage.py",), ["--tour"]),
    ],
)
def test_the_short_tour_unless_somebody_chooses(
    extent: Extent,
    words: tuple[str, ...],
    chosen: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(ROOT)
    assert choice(extent, words) == chosen


def test_the_main_job_is_there() -> None:
    assert (ROOT / MAIN_JOB).is_file()
