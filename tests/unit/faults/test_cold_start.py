"""A cold start on a simulated site: what bit, what came back by itself, and who saw to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Address
from pathlib import Path

import pytest

from blackstart.drill import Drill, DrillFailed, DrillUnproven
from blackstart.drivers.base import PowerControl, PowerState
from blackstart.errors import Refusal, Rejected
from blackstart.faults.base import PLAN, Plan
from blackstart.faults.cold_start import ColdStart, cold_start, in_order
from blackstart.faults.known import reverter_of
from blackstart.invariants import (
    addresses_stable,
    guests_boot,
    mounts_answer,
    names_resolve,
    services_answer,
)
from blackstart.model.facts import SiteFacts
from blackstart.model.inventory import Consent, Inventory, NeverDown, NfsMount
from blackstart.model.mount_answer import MountState
from blackstart.safety.guards.base import Pass, Request
from blackstart.safety.guards.witness import Witnessed
from blackstart.safety.halt import halt
from blackstart.safety.journal import read
from blackstart.safety.open_faults import open_faults
from blackstart.terms import Terms
from tests.simulation.drivers import SimulatedGuests, SimulatedPower, site_of
from tests.simulation.inventories import small_site
from tests.simulation.lies import Lies
from tests.simulation.world import World

CUT = "power off"
LIT = "power on"
STORE = "a0"  # by its name it would be first
MACHINES = ("a1", "a2", STORE)


def whole(unwilling: str | None = None) -> Inventory:
    """The small site with storage, every machine of which opted in, but for one."""
    inventory = small_site()
    consent = Consent.model_validate({"until": "2099-12-31"})
    a1 = inventory.nodes["a1"]
    nas = a1.model_copy(update={"role": "nas", "api": None, "address": IPv4Address("10.0.0.20")})
    nodes = {
        name: node
        if name == unwilling
        else node.model_copy(update={"may_break": {**node.may_break, "cold-start": consent}})
        for name, node in {STORE: nas, **inventory.nodes}.items()
    }
    return inventory.model_copy(update={"nodes": nodes})


@dataclass
class Bench:
    """A cold start of a simulated site, and what it left. ``power`` makes its controllers."""

    root: Path
    lies: Lies = field(default_factory=Lies)
    inventory: Inventory = field(default_factory=whole)
    attended: bool = False
    power: Callable[[World], PowerControl] = SimulatedPower
    make: Callable[[Inventory, Lies], World] = World
    notes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.world = self.make(self.inventory, self.lies)
        self.site = replace(site_of(self.world), power=self.power(self.world))

    def phase_begin(self, phase: str, detail: str) -> None:
        """Observer: a phase."""

    def phase_end(self, phase: str, detail: str) -> None:
        """Observer: its end."""

    def drill_end(self, directory: Path) -> None:
        """Observer: the end."""

    def note(self, text: str) -> None:
        """Observer: a line."""
        self.notes.append(text)

    @property
    def terms(self) -> Terms:
        drills, leases = self.root / "drills", self.root / "leases"
        return Terms("test", 600.0, "lab", drills / "one", drills, leases, attended=self.attended)

    def run(self, fault: ColdStart) -> None:
        drill = Drill(self.site, self.terms, self)
        with drill.fault(fault):
            drill.recovers(guests_boot(), names_resolve(), addresses_stable(), services_answer())
            if self.inventory.mounts:
                drill.recovers(mounts_answer())

    def proof(self, step: str) -> str:
        (entry,) = read(self.root / "drills" / "one" / "journal.jsonl").of(step)
        return str(entry.data["proof"])

    def sent(self, command: str) -> list[str]:
        return [host for host, sent in self.world.commands if sent == command]

    def left_open(self) -> int:
        return len(open_faults(self.root / "drills", "lab"))


def test_all_go_dark_and_come_back_by_their_timers_storage_last(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.run(cold_start("lab"))
    assert bench.sent(CUT) == list(MACHINES)
    assert bench.sent(LIT) == []
    nodes = bench.world.nodes
    assert nodes[STORE].power_at == pytest.approx(nodes["a2"].power_at + 120.0)
    assert bench.proof("fault.active").split("; ") == [
        f"{host}: seen off, on by its controller's timer, boot id boot-1 became boot-2"
        for host in MACHINES
    ]
    assert "by its controller's timer, as ordered: a1, a2, a0" in bench.proof("fault.revert-proven")
    assert "restore policy: a1 LastState" in bench.proof("fault.revert-proven")
    assert bench.left_open() == 0


def test_time_without_power_counts_against_no_budget(tmp_path: Path) -> None:
    Bench(tmp_path / "long").run(cold_start("lab", off_s=200.0))  # budgets are 120 s
    slow = Bench(tmp_path / "slow", Lies(slow={"box": 130.0}))
    with pytest.raises(DrillFailed, match=r"guests-boot \[box\]"):
        slow.run(cold_start("lab", off_s=200.0))


def with_mount() -> Inventory:
    """A hypervisor that mounts from storage, back within 60 s of the storage's power."""
    declared = {
        "host": "a1",
        "path": "/mnt/nas",
        "server": STORE,
        "export": "/srv",
        "budget": "60s",
    }
    return whole().model_copy(update={"mounts": {"data": NfsMount.model_validate(declared)}})


def test_late_storage_counts_against_no_budget_but_slow_storage_does(tmp_path: Path) -> None:
    class LateExport(World):
        def mount_state(self, mount: NfsMount) -> MountState:
            early = self.clock.now < self.nodes[STORE].up_at + 20.0
            return MountState.HANGS if early else super().mount_state(mount)

    late = Bench(tmp_path / "late", inventory=with_mount(), make=LateExport)
    late.run(cold_start("lab", nas_later_s=150.0))

    class SlowStorage(World):
        def boots_at(self, name: str, begins_at: float) -> None:
            super().boots_at(name, begins_at)
            self.nodes[name].up_at += 60.0 if name == STORE else 0.0
            self.nodes[name].settles_at += 60.0 if name == STORE else 0.0

    slow = Bench(tmp_path / "slow", inventory=with_mount(), make=SlowStorage)
    with pytest.raises(DrillFailed, match=r"mounts-answer \[data\].* its budget is 60s"):
        slow.run(cold_start("lab", nas_later_s=150.0))


def test_what_must_never_go_down_goes_down_on_purpose(tmp_path: Path) -> None:
    group = NeverDown.model_validate({"any_of": ["dns/dns1", "dns/dns2"], "grace": "5s"})
    inventory = whole().model_copy(update={"never_down": {"household": group}})
    Bench(tmp_path, inventory=inventory).run(cold_start("lab"))


def test_storage_is_held_off_longer_and_so_are_its_mounts(tmp_path: Path) -> None:
    plan = ColdStart("lab", 30.0, 90.0).plan(Bench(tmp_path).site)
    assert (plan.off_s, plan.later_s) == (30.0, {"node/a0": 90.0})
    assert plan.parameters["off_s"] == {"a1": 30.0, "a2": 30.0, STORE: 120.0}
    assert plan.consents == plan.nodes_down == in_order(whole()) == MACHINES
    assert set(plan.blast_radius) == {*MACHINES, "dns1", "box", "dns2", "k1"}
    assert plan.needs_out_of_band


def test_one_machine_that_swallowed_its_command_is_named(tmp_path: Path) -> None:
    bench = Bench(tmp_path, Lies(swallows=frozenset({"a2"})))
    with pytest.raises(DrillUnproven, match=r"did not bite: a2 runs on with boot id boot-1"):
        bench.run(cold_start("lab", off_s=60.0))
    assert sorted(bench.sent(LIT)) == ["a0", "a1"]
    assert "never went down: a2" in bench.proof("fault.revert-proven")
    assert bench.left_open() == 0


def test_a_machine_that_stays_off_is_switched_on_and_not_said_to_have_come_back(
    tmp_path: Path,
) -> None:
    bench = Bench(tmp_path, Lies(forgets_timer=frozenset({STORE})))
    with pytest.raises(DrillUnproven, match=r"a0 is off .* has not come back by itself"):
        bench.run(cold_start("lab"))
    assert bench.sent(LIT) == [STORE]
    said = bench.proof("fault.revert-proven")
    assert "switched on by the harness, not by itself: a0" in said
    assert "timer, as ordered: a1, a2" in said
    assert bench.left_open() == 0


class Killed(BaseException):
    """The harness is gone."""


@dataclass
class DiesAtSecond(SimulatedPower):
    """The harness is killed as it sends the second command."""

    sent: int = 0

    def off_for(self, host: str, seconds: float) -> None:
        self.sent += 1
        if self.sent == 2:
            raise Killed
        super().off_for(host, seconds)


def killed(tmp_path: Path) -> tuple[Bench, Plan]:
    """A site whose harness died between two commands, and the plan as the journal has it."""
    bench = Bench(tmp_path, power=DiesAtSecond)
    fault = cold_start("lab")
    plan = fault.plan(bench.site)
    with pytest.raises(Killed):
        fault.inject(bench.site, plan)
    return bench, PLAN.validate_json(PLAN.dump_json(plan))


def test_storage_is_not_asked_for_guests(tmp_path: Path) -> None:
    asked: list[str] = []

    class Asked(SimulatedGuests):
        def starts_finished(self, node: str, since_wall: float) -> bool:
            asked.append(node)
            return super().starts_finished(node, since_wall)

    bench = Bench(tmp_path)
    bench.site = replace(bench.site, guests=Asked(bench.world))
    bench.run(cold_start("lab"))
    assert set(asked) == {"a1", "a2"}


def test_killed_between_two_commands_every_machine_comes_back_alone(tmp_path: Path) -> None:
    bench, plan = killed(tmp_path)
    bench.world.clock.sleep(plan.off_s + bench.world.BOOT_S + 10.0)
    reverter = reverter_of(plan)
    reverter.revert(bench.site, plan)
    proof = reverter.prove_reverted(bench.site, plan)
    assert proof.holds
    assert "never went down: a2, a0" in proof.detail
    assert (bench.sent(CUT), bench.sent(LIT)) == (["a1"], [])


def test_another_process_switches_on_at_once_what_is_still_off(tmp_path: Path) -> None:
    bench, plan = killed(tmp_path)
    reverter = reverter_of(plan)
    assert not bench.world.powered("a1")
    reverter.revert(bench.site, plan)
    assert bench.world.powered("a1")
    proof = reverter.prove_reverted(bench.site, plan)
    assert proof.holds
    assert "switched on by the harness, not by itself: a1" in proof.detail


def test_halted_in_the_dark_it_switches_on_before_the_time(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    until = bench.world.clock.now + 10.0

    def stop() -> None:
        if bench.world.clock.now >= until and bench.sent(CUT):
            halt(bench.terms.leases, "lab", "enough")

    bench.world.clock.on_tick.append(stop)
    with pytest.raises(DrillUnproven, match="halted"):
        bench.run(cold_start("lab", off_s=300.0))
    assert bench.sent(LIT) == [STORE, "a2", "a1"]
    assert bench.left_open() == 0


@dataclass
class ClaimsOff(SimulatedPower):
    """A controller that says off for ever, of a machine that runs on."""

    def state(self, host: str) -> PowerState:
        return "off" if (host, CUT) in self.world.commands else "on"

    def off_for(self, host: str, seconds: float) -> None:
        self.world.commands.append((host, CUT))


def test_a_controllers_word_alone_proves_nothing(tmp_path: Path) -> None:
    bench = Bench(tmp_path, power=ClaimsOff)
    with pytest.raises(DrillFailed, match=r"a1 is off .* has not come back by itself") as caught:
        bench.run(cold_start("lab"))
    assert "a1: power off, systemd says running" in str(caught.value)
    assert bench.left_open() == 1


def test_a_boot_that_does_not_end_stays_open(tmp_path: Path) -> None:
    bench = Bench(tmp_path, Lies(never_settles=True))
    with pytest.raises(DrillFailed, match="a1: power on, systemd says starting"):
        bench.run(cold_start("lab"))
    assert bench.left_open() == 1


@dataclass
class Slow(SimulatedPower):
    """Controllers that take their time."""

    def off_for(self, host: str, seconds: float) -> None:
        super().off_for(host, seconds)
        self.world.clock.sleep(20.0)


def test_machines_that_were_never_dark_together_are_no_cold_start(tmp_path: Path) -> None:
    bench = Bench(tmp_path, power=Slow)
    with pytest.raises(DrillUnproven, match="took 60 s: the first machine was back"):
        bench.run(cold_start("lab"))
    assert bench.left_open() == 0


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


def test_a_person_is_told_how_to_switch_on_storage_first(tmp_path: Path) -> None:
    rescue = cold_start("lab").plan(Bench(tmp_path).site).rescue
    assert rescue[0] == (
        'curl --user ops --json \'{"ResetType": "On"}\' '
        "https://10.0.0.211/redfish/v1/Systems/a1/Actions/ComputerSystem.Reset"
    )
    assert len(rescue) == len(MACHINES)
