"""Asking guards: a healthy small site, and one thing about it changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from blackstart.drivers.base import CommandResult, Site
from blackstart.faults.base import PLAN
from blackstart.faults.reboot import power_cut, reboot
from blackstart.model.circumstances import HighAvailability, Managed
from blackstart.model.drift_mark import MARK
from blackstart.model.facts import Observed
from blackstart.model.inventory import Inventory
from blackstart.safety.guard import GUARDS, Answer, Request, answers
from blackstart.safety.journal import Journal
from blackstart.safety.open_faults import PLANNED
from blackstart.terms import Terms
from tests.simulation.circumstances import SimulatedCircumstances, seen
from tests.simulation.drivers import SimulatedCluster, SimulatedRunner, site_of
from tests.simulation.inventories import small_site
from tests.simulation.world import Lies, World


def request_for(
    drills: Path,
    *,
    lies: Lies | None = None,
    inventory: Inventory | None = None,
    armed: str | None = "lab",
    spoil: Callable[[World], None] = lambda _: None,
    cut: bool = True,
) -> Request:
    """What a healthy site would be asked, once a world has been spoiled."""
    world = World(inventory or small_site(), lies)
    site = site_of(world)
    fault = power_cut("a1") if cut else reboot("a1")
    plan = fault.plan(site)
    spoil(world)
    terms = Terms("test", 300.0, armed, drills / "one", drills, drills / "leases")
    return Request(site, terms, plan, site.facts())


def damaged(drills: Path) -> Request:
    """Beside a journal that nobody can read."""
    (drills / "old").mkdir(parents=True)
    (drills / "old" / "journal.jsonl").write_text("x\ny\n")
    return request_for(drills)


def unreverted(drills: Path) -> Request:
    """After a drill that planned a fault and told nothing of its end."""
    request = request_for(drills)
    journal = Journal(drills / "earlier", request.site.clock)
    journal.write("drill.begin", site="lab")
    journal.write(PLANNED, plan=PLAN.dump_python(request.plan, mode="json"))
    journal.close()
    return request


def refusals(request: Request) -> dict[str, str]:
    """Every guard that refuses, with its words."""
    return {item.guard: item.refusal for item in answers(request) if item.refusal is not None}


def answer(name: str, request: Request) -> Answer:
    """What one guard says."""
    (given,) = answers(request, [guard for guard in GUARDS if guard.name == name])
    return given


def refusal(name: str, request: Request) -> str:
    """The words of a guard that must refuse."""
    said = answer(name, request).refusal
    assert said is not None, f"{name} has no objection"
    return said


def at(request: Request, **changes: Any) -> Request:
    """The same question of a site with other parts (fields of ``Site``)."""
    site: Site = replace(request.site, **changes)
    return replace(request, site=site)


def under(request: Request, **given: Any) -> Request:
    """The same question in other circumstances."""
    return at(request, circumstances=SimulatedCircumstances(**given))


def planned(request: Request, **changes: Any) -> Request:
    """The same question about another plan."""
    return replace(request, plan=replace(request.plan, **changes))


class ToldCluster(SimulatedCluster):
    """A cluster whose answers a test gives, by the name of the question."""

    def __init__(self, world: World, **told: Observed[Any]) -> None:
        super().__init__(world)
        for name, value in told.items():
            setattr(self, name, lambda value=value: value)


def cluster(request: Request, **told: Observed[Any]) -> Request:
    """The same question of a site whose cluster answers so."""
    return at(request, cluster=ToldCluster(World(request.site.inventory), **told))


def drifted(request: Request, said: CommandResult) -> Request:
    """The same question of a rack, whose last machine answers so when asked for a drift's mark."""

    class Told(SimulatedRunner):
        def run(
            self, host: str, command: str, *, timeout_s: float, stdin: str | None = None
        ) -> CommandResult:
            assert (host, MARK in command, timeout_s) == (last, True, 10.0)
            return said

    last = [*request.site.inventory.nodes][-1]
    rack = request.site.inventory.model_copy(update={"rack": "pve"})
    return at(request, inventory=rack, runner=Told(World(small_site())))


def managing(*sids: str, node: str = "a1", **changes: Any) -> Observed[HighAvailability]:
    """High availability that manages some guests of a node."""
    managed = tuple(Managed(sid=sid, node=node, state="started") for sid in sids)
    whole = HighAvailability(managed=managed, maintenance=(), disarmed=False)
    return seen(whole.model_copy(update=changes))
