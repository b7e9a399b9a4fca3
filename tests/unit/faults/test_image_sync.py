"""An import of boot images: what proves that one runs, what ends it, and who was killed by it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import pytest

from blackstart.drivers.base import Site
from blackstart.errors import DriverError, Rejected, Unreachable
from blackstart.faults.base import PLAN, Plan, Reversibility
from blackstart.faults.image_sync import MIB, QUIET_S, ImportEnd, sync_images
from blackstart.faults.known import reverter_of
from blackstart.model.circumstances import Vitals
from blackstart.model.deadman import DeadMan
from blackstart.model.inventory import Inventory
from blackstart.model.undo import StartGuest
from tests.simulation.drivers import site_of
from tests.simulation.inventories import small_site
from tests.simulation.world import World

from .scripted import Rule, Scripted
from .test_memory import kernel, oom

IMAGE = "ubuntu/noble amd64"
AWAY = Unreachable("MAAS: Connection refused")


@dataclass
class Images:
    """A MAAS that says what a test says."""

    runs: bool = False
    lacking: tuple[str, ...] = ()
    error: DriverError | None = None
    asked: list[str] = field(default_factory=list)

    def _ask(self, what: str) -> None:
        self.asked.append(what)
        if self.error is not None:
            raise self.error

    def start_import(self) -> None:
        self._ask("start")

    def stop_import(self) -> None:
        self._ask("stop")

    def importing(self) -> bool:
        self._ask("importing")
        return self.runs

    def incomplete(self) -> tuple[str, ...]:
        self._ask("incomplete")
        return self.lacking


@dataclass
class Memory:
    """A hypervisor's API: memory of the guest in MiB, the last for ever; ``None`` is off."""

    mib: Iterator[int | DriverError | None]
    last: int | DriverError | None = 300

    def vitals(self, guest: str) -> Vitals:
        self.last = next(self.mib, self.last)
        if isinstance(self.last, DriverError):
            raise self.last
        return Vitals(running=self.last is not None, uptime_s=9.0, memory=(self.last or 0) * MIB)


def inventory(guest: str = "dns1") -> Inventory:
    return small_site(
        maas={"url": "https://10.0.0.101:5443/MAAS", "key": "env:KEY", "guest": guest}
    )


def rules(**changes: Rule) -> dict[str, Rule]:
    known: dict[str, Rule] = {
        "MainPID": "-1000\n",
        "qm list": "qm 101\nqm 102\n",
        "/dev/kmsg": kernel(newest=400),
        "qm status": 0,
    }
    names = {"sshd": "MainPID", "guests": "qm list", "kmsg": "/dev/kmsg", "running": "qm status"}
    return known | {names[name]: rule for name, rule in changes.items()}


@dataclass
class Bench:
    """A site with a scripted hypervisor, MAAS and memory."""

    site: Site
    shell: Scripted
    images: Images
    memory: Memory

    def plan(self) -> Plan:
        plan = sync_images("dns1").plan(self.site)
        return replace(plan, deadman=DeadMan("one", "a1", 90))


def bench(*mib: int | DriverError | None, **changes: Rule) -> Bench:
    shell, images, memory = Scripted(rules(**changes)), Images(), Memory(iter(mib))
    site = replace(
        site_of(World(inventory())),
        runner=shell,
        guests=memory,  # type: ignore[arg-type]
        images=images,
    )
    return Bench(site, shell, images, memory)


class TestPlan:
    """What leads back, and what refuses."""

    def test_whoever_is_killed_is_started_and_the_budgets_run_on(self) -> None:
        plan = bench(300).plan()
        assert plan.undo == (StartGuest(vmid=101, tool="qm"), StartGuest(vmid=102, tool="qm"))
        assert (plan.undo_host, plan.target) == ("a1", "dns1")
        assert plan.reversibility is Reversibility.SELF_HEALING
        assert plan.unheard_s == 90.0
        assert plan.blast_radius == ("dns1", "box")
        assert plan.prior["memory"] == 300 * MIB
        assert any("stop-import" in line for line in plan.rescue)
        assert PLAN.dump_python(plan, mode="json")["prior"]["newest"] == 400

    @pytest.mark.parametrize(
        ("changes", "said"),
        [
            ({"sshd": "0\n"}, "may take its sshd"),
            ({"guests": ""}, "no guest runs"),
            ({"kmsg": 1}, "kernel's log cannot be read"),
        ],
    )
    def test_a_hypervisor_that_could_not_be_healed_refuses(
        self, changes: dict[str, Rule], said: str
    ) -> None:
        with pytest.raises(Rejected, match=said):
            bench(300, **changes).plan()

    def test_a_guest_without_maas_refuses(self) -> None:
        one = bench(300)
        with pytest.raises(Rejected, match="box is not the guest that MAAS"):
            sync_images("box").plan(one.site)
        with pytest.raises(Rejected, match="declares no MAAS"):
            sync_images("dns1").plan(replace(one.site, images=None))

    def test_an_import_that_runs_already_refuses(self) -> None:
        one = bench(300)
        one.images.runs = True
        with pytest.raises(Rejected, match="imports images already"):
            one.plan()

    def test_a_maas_that_does_not_answer_refuses(self) -> None:
        one = bench(300)
        one.images.error = AWAY
        with pytest.raises(Unreachable, match="Connection refused"):
            one.plan()


class TestInject:
    """One call, only while it is guarded."""

    def test_it_is_begun_while_the_dead_man_guards_it(self) -> None:
        one = bench(300)
        plan = one.plan()
        one.site.deadmen.arm(DeadMan("one", "a1", 90), plan.undo)
        sync_images("dns1").inject(one.site, plan)
        assert one.images.asked[-1] == "start"

    def test_without_one_or_after_it_has_fired_it_is_not(self) -> None:
        one = bench(300)
        plan = one.plan()
        with pytest.raises(Rejected, match="fired"):
            sync_images("dns1").inject(one.site, plan)
        with pytest.raises(Rejected, match="no dead-man"):
            sync_images("dns1").inject(one.site, replace(plan, deadman=None))
        assert "start" not in one.images.asked


class TestProof:
    """Memory that grew, an image that is not whole, MAAS' word, or the kernel's."""

    @pytest.mark.parametrize(("now", "holds"), [(332, True), (331, False), (200, False)])
    def test_memory_that_grew(self, now: int, *, holds: bool) -> None:
        one = bench(300, now)
        proof = sync_images("dns1").prove_active(one.site, one.plan())
        assert proof.holds is holds
        assert f"300 MiB before, {now} MiB now" in proof.detail

    def test_an_image_that_is_not_whole_any_more(self) -> None:
        one = bench(300)
        one.images.lacking = ("debian amd64",)
        plan = one.plan()
        assert not sync_images("dns1").prove_active(one.site, plan).holds
        one.images.lacking = ("debian amd64", IMAGE)
        proof = sync_images("dns1").prove_active(one.site, plan)
        assert proof.holds
        assert proof.detail.endswith(f"not whole any more: {IMAGE}")

    def test_what_maas_says(self) -> None:
        one = bench(300)
        plan = one.plan()
        one.images.runs = True
        proof = sync_images("dns1").prove_active(one.site, plan)
        assert (proof.holds, proof.detail) == (True, "MAAS says that it imports images")

    def test_a_kill_of_its_guest_with_the_kernels_line(self) -> None:
        one = bench(300, None)
        plan = one.plan()
        one.images.error = AWAY
        one.shell.rules["/dev/kmsg"] = kernel(oom(450, "/qemu.slice/101.scope"))
        proof = sync_images("dns1").prove_active(one.site, plan)
        assert proof.holds
        assert proof.detail.startswith("the kernel of a1 killed dns1: oom-kill:")

    @pytest.mark.parametrize(
        "log",
        [
            kernel(oom(399, "/qemu.slice/101.scope")),
            kernel(oom(450, "/qemu.slice/102.scope")),
            kernel(oom(450, "/qemu.slice/101.scope"), boot="other"),
            "",
        ],
    )
    def test_another_kill_does_not(self, log: str) -> None:
        one = bench(300)
        plan = one.plan()
        one.shell.rules["/dev/kmsg"] = log
        assert not sync_images("dns1").prove_active(one.site, plan).holds

    def test_a_swallowed_import_did_not_bite(self) -> None:
        one = bench(300)
        proof = sync_images("dns1").prove_active(one.site, one.plan())
        assert not proof.holds
        assert "no import in 180 s" in proof.detail


class TestEnd:
    """Who was killed runs again, and nothing is imported."""

    def test_the_import_is_ended_and_starts_are_run(self) -> None:
        one = bench(300)
        plan = one.plan()
        reverter_of(plan).revert(one.site, plan)
        assert one.images.asked[-1] == "stop"
        assert any("qm start 101" in line for _, line in one.shell.asked)
        proof = reverter_of(plan).prove_reverted(one.site, plan)
        assert proof.holds
        assert proof.detail.endswith("MAAS imports nothing")

    def test_a_guest_that_does_not_start_is_not_reverted(self) -> None:
        one = bench(300)
        plan = one.plan()
        one.shell.rules["qm status"] = 1
        assert not reverter_of(plan).prove_reverted(one.site, plan).holds

    def test_an_import_that_goes_on_is_not(self) -> None:
        one = bench(300)
        plan = one.plan()
        one.images.runs = True
        proof = reverter_of(plan).prove_reverted(one.site, plan)
        assert not proof.holds
        assert "MAAS says that it imports images" in proof.detail

    def test_of_a_maas_that_is_away_its_memory_tells(self) -> None:
        one = bench(300, 400, 500)
        plan = one.plan()
        one.images.error = AWAY
        reverter_of(plan).revert(one.site, plan)
        began = one.site.clock.monotonic()
        proof = reverter_of(plan).prove_reverted(one.site, plan)
        assert proof.holds
        assert "memory of dns1 has not grown for 30 s (MAAS: Connection refused)" in proof.detail
        assert one.site.clock.monotonic() - began >= QUIET_S

    def test_memory_that_grows_on_or_is_not_seen_does_not(self) -> None:
        for shown in (iter(range(300, 5000, 2)), iter([Unreachable("595")])):
            one = bench(300)
            plan = one.plan()
            one.images.error, one.memory.mib = AWAY, shown
            assert not reverter_of(plan).prove_reverted(one.site, plan).holds


class TestImportEnd:
    """When a drill need not hold any longer."""

    def ended_after(self, one: Bench, plan: Plan, bound_s: float = 90.0) -> float | None:
        end, began = ImportEnd(one.site, plan), one.site.clock.monotonic()
        while (took := one.site.clock.monotonic() - began) < bound_s:
            if end():
                return took
            one.site.clock.sleep(1.0)
        return None

    def test_not_before_memory_has_been_quiet_for_a_while(self) -> None:
        one = bench(300)
        assert self.ended_after(one, one.plan()) == pytest.approx(QUIET_S, abs=2)

    @pytest.mark.parametrize("what", ["runs", "lacking", "error"])
    def test_not_while_anything_says_otherwise(self, what: str) -> None:
        one = bench(300)
        plan = one.plan()
        setattr(one.images, what, {"runs": True, "lacking": (IMAGE,), "error": AWAY}[what])
        assert self.ended_after(one, plan) is None

    def test_at_once_when_its_guest_is_off(self) -> None:
        one = bench(300, None)
        assert self.ended_after(one, one.plan()) == 0.0
