"""Every guard shown red, and quiet when there is nothing to say."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from blackstart.errors import Unreachable
from blackstart.model.facts import Observed
from blackstart.model.inventory import Inventory
from blackstart.safety import halt
from tests.simulation.drivers import SimulatedPower
from tests.simulation.inventories import small_site
from tests.simulation.world import Lies, World

from .guarding import damaged, refusal, refusals, request_for, unreverted


def test_nothing_refuses_on_a_healthy_armed_site(tmp_path: Path) -> None:
    assert refusals(request_for(tmp_path)) == {}


@pytest.mark.parametrize("armed", [None, "home", ""])
def test_not_armed_by_its_own_name(tmp_path: Path, armed: str | None) -> None:
    assert "--arm lab" in refusals(request_for(tmp_path, armed=armed))["armed"]


def without_consent(fault: str) -> Inventory:
    inventory = small_site()
    nodes = inventory.model_dump(mode="json")["nodes"]
    del nodes["a1"]["may_break"][fault]
    for node in nodes.values():
        node["boot_budget"] = "90s"
    return small_site(nodes=nodes)


def test_consent_to_a_reboot_is_none_to_a_power_cut(tmp_path: Path) -> None:
    said = refusals(request_for(tmp_path, inventory=without_consent("power-cut")))
    assert said == {
        "consent": "a1 has not opted in to power-cut; "
        "add may_break: {power-cut: {until: DATE}} to it in the inventory"
    }


def test_an_expired_consent_is_none(tmp_path: Path) -> None:
    def years_later(world: World) -> None:
        world.clock.epoch = 4_102_444_800.0  # 2100-01-01

    said = refusals(request_for(tmp_path, spoil=years_later))
    assert said == {"consent": "the consent of a1 to power-cut ended on 2099-12-31"}


def test_something_open_in_a_journal(tmp_path: Path) -> None:
    assert "power-cut on a1" in refusals(unreverted(tmp_path))["nothing-open"]


def test_a_damaged_journal_refuses(tmp_path: Path) -> None:
    assert "cannot be trusted" in refusals(damaged(tmp_path))["nothing-open"]


def test_one_ill_guest_is_no_reason_to_reboot_its_hypervisor(tmp_path: Path) -> None:
    def stop_box(world: World) -> None:
        world.guests["box"].up_at = None

    said = refusals(request_for(tmp_path, spoil=stop_box))["healthy"]
    assert said.startswith("guest box is stopped: look at that guest first")


def test_a_host_that_does_not_answer(tmp_path: Path) -> None:
    def lose_a2(world: World) -> None:
        world.nodes["a2"].up_at = world.clock.now + 1000

    assert "a2 does not answer" in refusals(request_for(tmp_path, spoil=lose_a2))["healthy"]


def test_quorum_lost_already(tmp_path: Path) -> None:
    said = refusals(request_for(tmp_path, lies=Lies(quorate=False)))
    assert said["quorum"] == "the cluster has no quorum now"


def test_why_quorum_cannot_be_seen_is_told(tmp_path: Path) -> None:
    request = request_for(tmp_path)
    why = Observed[Any](source="api GET cluster/status", error="a2 in no cluster with a1")
    for part in ("quorate", "online"):
        assert request.facts.cluster is not None
        cluster = request.facts.cluster.model_copy(update={part: why})
        facts = request.facts.model_copy(update={"cluster": cluster})
        assert refusal("quorum", replace(request, facts=facts)) == (
            "whether the cluster has quorum cannot be seen "
            "(api GET cluster/status: a2 in no cluster with a1)"
        )


def test_quorum_that_would_be_lost(tmp_path: Path) -> None:
    said = refusals(request_for(tmp_path, lies=Lies(votes=2)))
    assert "1 votes would be left without a1 and 2 are needed" in said["quorum"]


def test_votes_that_cannot_be_seen_refuse(tmp_path: Path) -> None:
    request = request_for(tmp_path)
    cluster = request.facts.cluster
    assert cluster is not None
    blind = cluster.votes.model_copy(update={"value": None, "error": "permission denied"})
    facts = request.facts.model_copy(
        update={"cluster": cluster.model_copy(update={"votes": blind})}
    )
    said = refusals(replace(request, facts=facts))
    assert "permission denied" in said["quorum"]


def test_a_controller_that_says_off(tmp_path: Path) -> None:
    said = refusals(request_for(tmp_path, lies=Lies(controller_state="off")))
    assert said == {"out-of-band": "the controller says that a1 is off"}


def test_a_controller_that_does_not_answer(tmp_path: Path) -> None:
    class Dead(SimulatedPower):
        def state(self, host: str) -> None:  # type: ignore[override]
            raise Unreachable("connection refused")

    request = request_for(tmp_path)
    site = replace(request.site, power=Dead(World(small_site())))
    assert "connection refused" in refusals(replace(request, site=site))["out-of-band"]


def test_a_graceful_reboot_needs_no_controller(tmp_path: Path) -> None:
    request = request_for(tmp_path, lies=Lies(controller_state="off"), cut=False)
    assert refusals(request) == {}


def test_halted_drills_say_who_and_why(tmp_path: Path) -> None:
    halt.halt(tmp_path / "leases", "lab", "guests are coming")
    said = refusal("not-halted", request_for(tmp_path))
    assert "guests are coming" in said
    assert "blackstart resume" in said


def test_votes_are_counted_for_every_node_that_falls(tmp_path: Path) -> None:
    request = request_for(tmp_path, lies=Lies(votes=3))
    both = replace(request, plan=replace(request.plan, nodes_down=("a1", "a2")))
    assert "1 votes would be left without a1, a2 and 2 are needed" in refusal("quorum", both)
