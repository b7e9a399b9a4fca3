"""A drill tries leases before the fault and after it; a plan, and one that did not bite, do not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from blackstart.drill import DrillUnproven
from blackstart.errors import Refusal
from blackstart.faults.service import restart_service
from blackstart.inventory_file import load
from blackstart.model.dhcp_facts import LeaseTrial
from blackstart.model.facts import SiteFacts
from blackstart.model.inventory import Inventory
from blackstart.model.observed import Observed
from blackstart.safety.halt import halt
from tests.simulation.drilling import Harness
from tests.simulation.drivers import site_of
from tests.simulation.families import CASES, promises
from tests.simulation.world import Lies, World

ALLOWED = load(CASES / "dhcp-lease-renewed" / "inventory.yaml")
FORBIDDEN = load(CASES / "dhcp-restart" / "inventory.yaml")
FAULT = restart_service("dns2", "isc-dhcp-server.service")
GIVEN = Observed(source="dhcp eno1", value=LeaseTrial(address="10.0.0.200", lease_s=600))


class Bench:
    """One drill on a site that counts how often leases were tried."""

    def __init__(
        self, root: Path, inventory: Inventory = ALLOWED, *, lies: Lies | None = None
    ) -> None:
        self.tried = 0
        world = World(inventory, lies or Lies())
        self.harness = Harness(root, world, replace(site_of(world), leases=self._try))

    def _try(self) -> dict[str, Observed[LeaseTrial]]:
        self.tried += 1
        return {"lan": GIVEN}

    def drill(self, *, plan_only: bool = False) -> None:
        drill = self.harness.drill(plan_only=plan_only)
        with drill.fault(FAULT):
            drill.recovers(*promises(self.harness.site, FAULT))

    def facts(self, when: str) -> SiteFacts:
        path = self.harness.drills / "one" / f"facts-{when}.json"
        return SiteFacts.model_validate_json(path.read_text())


def test_leases_are_in_the_facts_before_and_after(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.drill()
    assert bench.tried == 2, "a snapshot that is repeated until it settles takes no lease"
    assert bench.facts("before").leases == bench.facts("after").leases == {"lan": GIVEN}
    said = [entry.data["said"] for entry in bench.harness.journal("one").of("leases.tried")]
    assert said == [{"lan": "given and renewed"}] * 2


def test_who_does_not_allow_it_is_only_asked_for_an_offer(tmp_path: Path) -> None:
    bench = Bench(tmp_path, FORBIDDEN)
    bench.drill()
    assert bench.tried == 0
    assert bench.facts("after").leases == {}
    assert bench.harness.journal("one").of("leases.trying") == ()


def test_a_plan_only_looks(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.drill(plan_only=True)
    assert bench.tried == 0


def test_a_drill_that_is_refused_takes_no_lease(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    halt(bench.harness.leases, ALLOWED.site, "the owner said stop")
    with pytest.raises(Refusal, match="resume"):
        bench.drill()
    assert bench.tried == 0


def test_nobody_judges_a_fault_that_did_not_bite(tmp_path: Path) -> None:
    bench = Bench(tmp_path, lies=Lies(swallowed=frozenset({"restart-unit"})))
    with pytest.raises(DrillUnproven):
        bench.drill()
    assert bench.tried == 1
