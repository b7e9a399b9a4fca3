"""Who switches on again when the harness dies: a timer, a person who attends, or nobody."""

from __future__ import annotations

from pathlib import Path

import pytest

from blackstart.drill import DrillFailed
from blackstart.errors import Refusal, Rejected
from blackstart.faults.cold_start import cold_start
from blackstart.model.facts import SiteFacts
from blackstart.safety.guards.base import Pass, Request
from blackstart.safety.guards.witness import Witnessed
from blackstart.safety.journal import read
from tests.simulation.drivers import SimulatedPower
from tests.simulation.lies import Lies
from tests.unit.faults.dark_site import CUT, LIT, MACHINES, STORE, Bench, whole


@pytest.mark.parametrize("unwilling", MACHINES)
def test_every_single_machine_consents_by_itself(tmp_path: Path, unwilling: str) -> None:
    bench = Bench(tmp_path, inventory=whole(unwilling))
    with pytest.raises(Refusal, match=f"consent: {unwilling} has not opted in to cold-start"):
        bench.run(cold_start("lab"))
    assert bench.sent(CUT) == []


def asked(bench: Bench) -> str | None:
    """What the guard says to a cold start; ``None`` when it has no objection."""
    plan = cold_start("lab").plan(bench.site)
    said = Witnessed().refuse(Request(bench.site, bench.terms, plan, SiteFacts(taken_at=0.0)))
    return None if isinstance(said, Pass) else said


@pytest.mark.parametrize(
    ("back_on_by", "attended"), [({}, False), ({}, True), ({"a2": "command"}, True)]
)
def test_a_timer_is_a_witness_and_so_is_a_person_who_attends(
    tmp_path: Path, back_on_by: dict[str, str], attended: bool
) -> None:
    assert asked(Bench(tmp_path, Lies(back_on_by=back_on_by), attended=attended)) is None


@pytest.mark.parametrize(
    ("by", "attended", "refusal"),
    [
        ("command", False, "a2 has no timed power-on: if the harness dies, nobody switches on"),
        ("nothing", False, "a2: its controller lists"),
        ("nothing", True, "a2: its controller lists"),
    ],
)
def test_it_names_a_witness_or_does_not_start(
    tmp_path: Path, by: str, attended: bool, refusal: str
) -> None:
    said = asked(Bench(tmp_path, Lies(back_on_by={"a2": by}), attended=attended))
    assert said is not None
    assert refusal in said


def test_alone_and_without_timers_a_drill_is_refused(tmp_path: Path) -> None:
    bench = Bench(tmp_path, Lies(back_on_by={"a2": "command"}))
    with pytest.raises(Refusal, match=r"witness: .* add --attended"):
        bench.run(cold_start("lab"))
    assert bench.sent(CUT) == []


class DeadButton(SimulatedPower):
    """Controllers that answer to power on, and do nothing."""

    def power_on(self, host: str) -> None:
        self.world.commands.append((host, LIT))


def test_what_cannot_be_switched_on_is_asked_once_by_the_drill_and_stays_open(
    tmp_path: Path,
) -> None:
    lies = Lies(back_on_by={"a2": "command"})
    bench = Bench(tmp_path, lies, attended=True, power=DeadButton)
    with pytest.raises(DrillFailed, match=r"a2 is off .* nothing has switched it on again"):
        bench.run(cold_start("lab"))
    assert bench.left_open() == 1
    journal = read(bench.root / "drills" / "one" / "journal.jsonl")
    assert bench.sent(LIT).count("a2") == 1 + len(journal.of("fault.revert-tried"))


def test_without_a_witness_nothing_is_sent_whoever_waives_it(tmp_path: Path) -> None:
    bench = Bench(tmp_path, Lies(back_on_by={STORE: "nothing"}))
    fault = cold_start("lab")
    with pytest.raises(Rejected, match="no witness for a0"):
        fault.inject(bench.site, fault.plan(bench.site))
    assert bench.sent(CUT) == []


def test_attended_the_harness_switches_on_and_says_so(tmp_path: Path) -> None:
    lies = Lies(back_on_by=dict.fromkeys(MACHINES, "command"))
    bench = Bench(tmp_path, lies, attended=True)
    bench.run(cold_start("lab"))
    assert (bench.sent(CUT), bench.sent(LIT)) == (list(MACHINES), list(MACHINES))
    nodes = bench.world.nodes
    assert nodes[STORE].power_at >= nodes["a2"].power_at + 118.0
    assert "not by itself: a1, a2, a0" in bench.proof("fault.revert-proven")
    assert "a1: seen off, on by the harness, boot id" in bench.proof("fault.active")
