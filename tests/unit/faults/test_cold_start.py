"""A cold start on a simulated site: what bit, what came back by itself, and who saw to it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from blackstart.drill import DrillFailed, DrillUnproven
from blackstart.drivers.base import PowerState
from blackstart.faults.base import PLAN, Plan
from blackstart.faults.cold_start import ColdStart, cold_start, in_order
from blackstart.faults.known import reverter_of
from blackstart.model.inventory import Inventory, NeverDown, NfsMount
from blackstart.model.mount_answer import MountState
from blackstart.safety.halt import halt
from tests.simulation.drivers import SimulatedGuests, SimulatedPower
from tests.simulation.lies import Lies
from tests.simulation.world import World
from tests.unit.faults.dark_site import CUT, LIT, MACHINES, STORE, Bench, whole


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


def test_a_person_is_told_how_to_switch_on_storage_first(tmp_path: Path) -> None:
    rescue = cold_start("lab").plan(Bench(tmp_path).site).rescue
    assert rescue[0] == (
        'curl --user ops --json \'{"ResetType": "On"}\' '
        "https://10.0.0.211/redfish/v1/Systems/a1/Actions/ComputerSystem.Reset"
    )
    assert len(rescue) == len(MACHINES)
