"""The lease: one drill at a time, and the holder is named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from blackstart.errors import Refusal
from blackstart.safety.lease import hold
from tests.simulation.world import SimulatedClock

CLOCK = SimulatedClock()


def test_a_second_drill_is_refused_and_told_who_holds_it(tmp_path: Path) -> None:
    with hold("lab", "a power cut of a1", CLOCK, tmp_path):
        another = hold("lab", "another", CLOCK, tmp_path)
        with pytest.raises(Refusal, match="for a power cut of a1"):
            another.__enter__()
        assert json.loads((tmp_path / "lab.json").read_text())["why"] == "a power cut of a1"


def test_another_site_is_free(tmp_path: Path) -> None:
    with hold("lab", "x", CLOCK, tmp_path), hold("home", "y", CLOCK, tmp_path):
        pass


def test_it_is_free_again_afterwards(tmp_path: Path) -> None:
    for _ in range(2):
        with hold("lab", "x", CLOCK, tmp_path):
            pass
