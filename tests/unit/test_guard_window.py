"""The window: when drills may run, by the owner's own clock."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from blackstart.model.inventory import Window
from blackstart.safety.guard import Request
from tests.simulation.inventories import small_site
from tests.simulation.world import World

from .guarding import answer, refusal, request_for

NIGHT = {"days": ["sat"], "opens": "23:00", "closes": "04:00", "timezone": "Europe/Berlin"}
MORNING = {"days": ["sat", "sun"], "opens": "02:00", "closes": "05:00", "timezone": "Europe/Berlin"}


def wall(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def window(**changes: Any) -> Window:
    return Window.model_validate({**MORNING, **changes})


def asked_at(tmp_path: Path, text: str, declared: dict[str, Any]) -> Request:
    def then(world: World) -> None:
        world.clock.epoch = wall(text) - world.clock.now

    return request_for(tmp_path, inventory=small_site(window=declared), spoil=then)


@pytest.mark.parametrize(
    ("when", "left_s"),
    [
        ("2026-11-21T02:00:00+01:00", 3 * 3600.0),  # Saturday
        ("2026-11-21T04:59:30+01:00", 30.0),
        ("2026-11-21T05:00:00+01:00", None),
        ("2026-11-21T01:59:59+01:00", None),
        ("2026-11-23T03:00:00+01:00", None),  # Monday
        ("2026-11-21T02:00:00+00:00", 2 * 3600.0),  # 03:00 in Berlin
    ],
)
def test_seconds_that_are_left(when: str, left_s: float | None) -> None:
    assert window().open_for_s(wall(when)) == left_s


@pytest.mark.parametrize(
    ("when", "left_s"),
    [
        ("2026-11-21T23:30:00+01:00", 4.5 * 3600),  # Saturday night
        ("2026-11-22T03:00:00+01:00", 3600.0),  # still Saturday's
        ("2026-11-21T03:00:00+01:00", None),  # Friday's, which is none
        ("2026-11-22T23:30:00+01:00", None),  # Sunday
    ],
)
def test_over_midnight_the_day_it_opens_counts(when: str, left_s: float | None) -> None:
    assert Window.model_validate(NIGHT).open_for_s(wall(when)) == left_s


def test_the_night_of_a_changed_hour_has_its_true_length() -> None:
    autumn = window(days=["sun"], opens="01:00")  # 2026-10-25: 03:00 is 02:00 again
    assert autumn.open_for_s(wall("2026-10-25T01:00:00+02:00")) == 5 * 3600
    spring = window(days=["sun"], opens="01:00")  # 2026-03-29: 02:00 is 03:00
    assert spring.open_for_s(wall("2026-03-29T01:00:00+01:00")) == 3 * 3600


def test_a_whole_day() -> None:
    whole = window(days=["sat"], opens="00:00", closes="00:00")
    assert whole.open_for_s(wall("2026-11-21T23:59:00+01:00")) == 60.0
    assert whole.open_for_s(wall("2026-11-22T00:00:00+01:00")) is None


def test_none_declared(tmp_path: Path) -> None:
    assert answer("window", request_for(tmp_path)).because == "no window is declared"


def test_outside(tmp_path: Path) -> None:
    said = refusal("window", asked_at(tmp_path, "2026-11-20T03:00:00+01:00", MORNING))
    assert said == (
        "outside the window (sat, sun 02:00-05:00 Europe/Berlin); come back then, or waive window"
    )


def test_the_whole_budget_must_fit(tmp_path: Path) -> None:
    asked = asked_at(tmp_path, "2026-11-21T04:57:00+01:00", MORNING)
    said = refusal("window", asked)
    assert "closes in 3m00s and the drill may take 5m00s; begin earlier" in said
    shorter = replace(asked, terms=replace(asked.terms, budget_s=180.0))
    assert answer("window", shorter).because == "the window is open for 3m00s more"
