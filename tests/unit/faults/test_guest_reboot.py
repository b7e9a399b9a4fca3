"""A guest rebooted by its hypervisor: a later start proves it, and nothing else does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import pytest

from blackstart.drivers.base import Site
from blackstart.errors import DriverError, Rejected, Unreachable
from blackstart.faults.base import Plan, Reversibility
from blackstart.faults.guest_reboot import reboot_guest
from blackstart.faults.known import reverter_of
from blackstart.model.circumstances import Vitals
from blackstart.model.facts import GuestFacts, Observed
from tests.simulation.drivers import site_of
from tests.simulation.inventories import small_site
from tests.simulation.world import World
from tests.unit.invariants.site import lost, seen

Seen = Vitals | DriverError


def runs(uptime_s: float) -> Vitals:
    return Vitals(running=True, uptime_s=uptime_s, memory=1 << 30)


OFF = Vitals(running=False, uptime_s=0.0, memory=0)


@dataclass
class Api:
    """A hypervisor's API that shows one guest as a test says, the last for ever."""

    shown: Iterator[Seen]
    status_: Observed[str] = field(default_factory=lambda: seen("running"))
    booted: Observed[bool] = field(default_factory=lambda: seen(True))
    refused: DriverError | None = None
    rebooted: list[str] = field(default_factory=list)
    _last: Seen = OFF

    def vitals(self, guest: str) -> Vitals:
        self._last = next(self.shown, self._last)
        if isinstance(self._last, DriverError):
            raise self._last
        return self._last

    def reboot(self, guest: str, *, timeout_s: float) -> str:
        if self.refused is not None:
            raise self.refused
        self.rebooted.append(guest)
        return "OK"

    def observe(self) -> Mapping[str, GuestFacts]:
        nothing = lost()
        facts = GuestFacts(
            node=nothing,
            status=self.status_,
            onboot=nothing,
            config=nothing,
            booted=self.booted,
            interfaces=nothing,
        )
        return {"box": facts}

    def status(self, guest: str) -> str:
        raise AssertionError("not asked")

    def starts_finished(self, node: str, since_wall: float) -> bool:
        raise AssertionError("not asked")


def at(*shown: Seen) -> tuple[Site, Api]:
    api = Api(iter(shown))
    return replace(site_of(World(small_site())), guests=api), api


def planned(*shown: Seen) -> tuple[Site, Api, Plan]:
    site, api = at(runs(5000.0), *shown)
    return site, api, reboot_guest("box").plan(site)


def test_the_plan_heals_by_itself_and_says_how_it_is_started_by_hand() -> None:
    _, _, plan = planned()
    assert plan.reversibility is Reversibility.SELF_HEALING
    assert plan.undo == ()
    assert plan.blast_radius == ("box",)
    assert any("qm start 102" in line for line in plan.rescue)


def test_one_that_is_off_refuses() -> None:
    site, _ = at(OFF)
    with pytest.raises(Rejected, match="does not run"):
        reboot_guest("box").plan(site)


def test_what_the_api_refuses_is_told() -> None:
    site, api, plan = planned()
    api.refused = Rejected("box: reboot failed: got timeout")
    with pytest.raises(Rejected, match="got timeout"):
        reboot_guest("box").inject(site, plan)


def test_a_later_start_proves_it() -> None:
    site, api, plan = planned(runs(5001.0), Unreachable("595"), OFF, runs(1.0))
    reboot_guest("box").inject(site, plan)
    proof = reboot_guest("box").prove_active(site, plan)
    assert (proof.holds, proof.detail) == (True, "box was started 1 s ago")
    assert api.rebooted == ["box"]


def test_the_same_start_does_not() -> None:
    site, _, plan = planned()
    began = site.clock.monotonic()

    def running() -> Iterator[Seen]:
        while True:
            yield runs(float(int(5000 + site.clock.monotonic() - began)))

    site = replace(site, guests=Api(running()))
    proof = reboot_guest("box").prove_active(site, plan)
    assert not proof.holds
    assert "shows no new start in 120 s: it has run for" in proof.detail


def test_one_that_stays_off_was_hit_and_is_not_back() -> None:
    site, api, plan = planned(OFF)
    assert reboot_guest("box").prove_active(site, plan).detail == (
        "box was shut down, and is off 120 s later"
    )
    api.status_ = seen("stopped")
    proof = reboot_guest("box").prove_reverted(site, plan)
    assert not proof.holds
    assert "box is not back after 120 s: it is stopped" in proof.detail


def test_an_api_that_says_nothing_proves_nothing() -> None:
    site, api, plan = planned(OFF, Unreachable("no route"))
    proof = reboot_guest("box").prove_active(site, plan)
    assert (proof.holds, "no route" in proof.detail) == (False, True)
    api.status_ = lost()
    assert not reboot_guest("box").prove_reverted(site, plan).holds


@pytest.mark.parametrize("booted", [seen(False), lost(error="agent silent")])
def test_running_is_not_booted(booted: Observed[bool]) -> None:
    site, api, plan = planned()
    api.booted = booted
    assert not reverter_of(plan).prove_reverted(site, plan).holds
    api.booted = seen(True)
    assert reverter_of(plan).prove_reverted(site, plan).holds
