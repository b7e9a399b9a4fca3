"""The production drill on a simulated site: every verdict, and everything put back."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from blackstart.drill import Drill, DrillFailed, DrillUnproven
from blackstart.errors import Refusal
from blackstart.faults.base import Plan, Proof
from blackstart.faults.reboot import Reboot, power_cut, reboot
from blackstart.invariants import (
    addresses_stable,
    containers_run,
    guests_boot,
    names_resolve,
    services_answer,
)
from blackstart.safety.guard import GUARDS
from blackstart.safety.journal import Reading, read
from blackstart.safety.open_faults import open_faults
from blackstart.terms import Terms
from tests.simulation.drilling import Watcher
from tests.simulation.drivers import site_of
from tests.simulation.inventories import small_site
from tests.simulation.world import Lies, World


@dataclass
class Bench:
    """A drill on a simulated site, and what it left."""

    root: Path
    world: World
    plan_only: bool = False
    armed: str | None = "lab"
    blind: frozenset[str] = frozenset()
    watcher: Watcher = field(default_factory=Watcher)

    def drill(self) -> Drill:
        terms = Terms(
            scenario="test",
            budget_s=300.0,
            armed=self.armed,
            directory=self.root / "drills" / "one",
            drills=self.root / "drills",
            leases=self.root / "leases",
            plan_only=self.plan_only,
        )
        return Drill(site_of(self.world, blind=self.blind), terms, self.watcher)

    def run(self, fault: Reboot) -> None:
        drill = self.drill()
        with drill.fault(fault):
            drill.recovers(
                guests_boot(fault.target),
                names_resolve(),
                containers_run(),
                addresses_stable(),
                services_answer(),
            )

    @property
    def journal(self) -> Reading:
        return read(self.root / "drills" / "one" / "journal.jsonl")

    @property
    def verdict(self) -> str:
        return str(self.journal.of("drill.end")[-1].data["verdict"])

    @property
    def open(self) -> int:
        return len(open_faults(self.root / "drills", "lab"))


@pytest.mark.parametrize("fault", [reboot("a1"), power_cut("a1"), power_cut("a2")])
def test_a_site_that_comes_back_passes(tmp_path: Path, fault: Reboot) -> None:
    bench = Bench(tmp_path, World(small_site()))
    bench.run(fault)
    assert bench.verdict == "pass"
    assert bench.open == 0
    steps = [entry.step for entry in bench.journal.entries]
    assert steps.index("fault.planned") < steps.index("fault.injecting")
    for name in ("facts-before.json", "facts-after.json", "samples.json"):
        assert json.loads((tmp_path / "drills" / "one" / name).read_text())
    assert bench.watcher.ended == [tmp_path / "drills" / "one"]


@pytest.mark.parametrize(
    ("lies", "fault"),
    [
        (Lies(power_swallowed=True), power_cut("a1")),
        (Lies(reboot_swallowed=True), reboot("a1")),
        (Lies(reboot_refused=True), reboot("a1")),
    ],
)
def test_a_fault_that_did_not_bite_proves_nothing(
    tmp_path: Path, lies: Lies, fault: Reboot
) -> None:
    bench = Bench(tmp_path, World(small_site(), lies))
    with pytest.raises(DrillUnproven):
        bench.run(fault)
    assert bench.verdict == "unproven"
    assert bench.open == 0


@pytest.mark.parametrize(
    ("lies", "named"),
    [
        (Lies(never_returns=frozenset({"box"})), "guests-boot [box]"),
        (Lies(never_returns=frozenset({"dns1"})), "names-resolve"),
        (Lies(never_answers=frozenset({"service/web"})), "services-answer [web]"),
        (Lies(moves={"box": "10.0.0.200"}), "addresses-stable [box]"),
        (Lies(slow={"box": 200.0}), "guests-boot [box]"),
    ],
)
def test_a_broken_promise_fails_and_is_named(tmp_path: Path, lies: Lies, named: str) -> None:
    bench = Bench(tmp_path, World(small_site(), lies))
    with pytest.raises(DrillFailed) as caught:
        bench.run(reboot("a1"))
    assert f"FAIL {named}" in str(caught.value)
    assert bench.verdict == "fail"


def test_a_wiped_volume_fails(tmp_path: Path) -> None:
    bench = Bench(tmp_path, World(small_site()))
    drill = bench.drill()

    def broken() -> None:
        with drill.fault(reboot("a1")):
            bench.world.lies.sentinel = "empty now"
            drill.recovers(containers_run())

    with pytest.raises(DrillFailed, match=r"containers-run \[web\]"):
        broken()


def test_a_guest_nobody_starts_is_not_waited_for(tmp_path: Path) -> None:
    bench = Bench(tmp_path, World(small_site(), Lies(never_returns=frozenset({"box"}))))
    began = bench.world.clock.monotonic()
    with pytest.raises(DrillFailed):
        bench.run(reboot("a1"))
    assert bench.world.clock.monotonic() - began < 120
    assert "a1 has started its guests, and box is stopped" in bench.watcher.notes


def test_what_is_past_its_own_budget_is_not_waited_for(tmp_path: Path) -> None:
    lies = Lies(never_answers=frozenset({"guest/box", "service/web"}))
    bench = Bench(tmp_path, World(small_site(services={}), lies))
    began = bench.world.clock.monotonic()
    with pytest.raises(DrillFailed, match=r"guests-boot \[box\]"):
        bench.run(reboot("a1"))
    assert bench.world.clock.monotonic() - began < 120 + 5 + 60  # its budget, hold; not 300


def test_a_boot_that_never_ends_stays_open_and_blocks_the_next_drill(tmp_path: Path) -> None:
    bench = Bench(tmp_path, World(small_site(), Lies(never_settles=True)))
    with pytest.raises(DrillFailed, match="not proven reverted"):
        bench.run(reboot("a1"))
    assert bench.open == 1
    again = Bench(tmp_path, World(small_site()))
    drill = again.drill()
    drill.terms = Terms(**{**again_terms(drill.terms), "directory": tmp_path / "drills" / "two"})
    with pytest.raises(Refusal, match="not proven reverted: reboot on a1"):
        drill.fault(reboot("a1")).__enter__()


def again_terms(terms: Terms) -> dict[str, object]:
    return {name: getattr(terms, name) for name in Terms.__slots__}


def test_a_refusal_touches_nothing(tmp_path: Path) -> None:
    bench = Bench(tmp_path, World(small_site()), armed=None)
    with pytest.raises(Refusal, match="--arm lab"):
        bench.run(reboot("a1"))
    assert not bench.journal.of("fault.planned")
    assert all(command != "systemctl reboot --no-block" for _, command in bench.world.commands)


def test_a_plan_touches_nothing_and_asks_every_guard(tmp_path: Path) -> None:
    bench = Bench(tmp_path, World(small_site()), plan_only=True)
    bench.run(power_cut("a1"))
    asked = [entry.data["guard"] for entry in bench.journal.of("guard.answer")]
    assert asked == [guard.name for guard in GUARDS]
    assert "blast radius: a1, dns1, box" in bench.watcher.notes
    assert "ends: self-healing" in bench.watcher.notes
    assert any(note.startswith("rescue: ssh root@10.0.0.11 ") for note in bench.watcher.notes)
    assert not bench.journal.of("fault.planned")
    assert bench.world.nodes["a1"].boot == 1


def test_an_unsteady_site_is_not_broken_further(tmp_path: Path) -> None:
    world = World(small_site(services={"web": {"http": "http://10.0.0.102/", "guest": "box"}}))
    world.guests["box"].up_at = world.clock.now + 5000
    bench = Bench(tmp_path, world)
    with pytest.raises(Refusal, match="box"):
        bench.run(reboot("a1"))
    assert world.nodes["a1"].boot == 1


def test_what_nobody_probed_is_unproven(tmp_path: Path) -> None:
    bench = Bench(tmp_path, World(small_site()), blind=frozenset({"guest/box"}))
    with pytest.raises(DrillUnproven, match=r"guests-boot \[box\]"):
        bench.run(reboot("a1"))


def test_no_invariants_is_unproven(tmp_path: Path) -> None:
    bench = Bench(tmp_path, World(small_site()))
    drill = bench.drill()

    def nothing() -> None:
        with drill.fault(reboot("a1")):
            pass

    with pytest.raises(DrillUnproven, match="declares no invariant"):
        nothing()


class Boom(Exception):
    """Something unforeseen in a scenario."""


@pytest.mark.parametrize(
    ("error", "raised", "verdict"),
    [
        (Boom("x"), DrillUnproven, "unproven"),
        (AssertionError("the page was wrong"), DrillFailed, "fail"),
        (KeyboardInterrupt(), KeyboardInterrupt, "unproven"),
    ],
)
def test_whatever_the_scenario_raises_everything_is_put_back(
    tmp_path: Path, error: BaseException, raised: type[BaseException], verdict: str
) -> None:
    bench = Bench(tmp_path, World(small_site()))
    drill = bench.drill()

    def scenario() -> None:
        with drill.fault(reboot("a1")):
            raise error

    with pytest.raises(raised):
        scenario()
    assert bench.open == 0
    assert bench.verdict == verdict


@dataclass(frozen=True, slots=True)
class Stubborn(Reboot):
    """A fault whose revert fails ``failures`` times before it holds."""

    attempts: list[int] = field(default_factory=list)
    failures: int = 2

    def prove_reverted(self, site: object, plan: Plan) -> Proof:
        self.attempts.append(1)
        return Proof(len(self.attempts) > self.failures, "stubborn")


@pytest.mark.parametrize(("failures", "left_open"), [(2, 0), (3, 1)])
def test_a_failing_revert_is_tried_again_within_a_bound(
    tmp_path: Path, failures: int, left_open: int
) -> None:
    bench = Bench(tmp_path, World(small_site()))
    fault = Stubborn("a1", failures=failures)
    if left_open:
        with pytest.raises(DrillFailed, match="stubborn"):
            bench.run(fault)
    else:
        bench.run(fault)
    assert bench.open == left_open
    assert len(bench.journal.of("fault.revert-tried")) == min(failures + 1, 3)
