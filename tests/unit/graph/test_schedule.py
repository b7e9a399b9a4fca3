"""When what is there: stages, delays, times from earlier drills, and what comes last."""

from __future__ import annotations

import pytest

from blackstart.graph.inputs import BootInputs
from blackstart.graph.predicting import critical_path, predict
from blackstart.model.boot_graph import BootGraph, Link, LinkKind, Part, PartKind
from blackstart.model.boot_schedule import Expected, Prediction

from . import sites
from .sites import by_name, inputs, with_guest

COLD = {
    **{"node/pve1": 40.0, "node/pve2": 50.0, "node/nas1": 30.0},
    **{"mount/pve1-vms": 55.0, "mount/pve2-vms": 60.0},
    **{"guest/maas": 70.0, "dns/maas": 75.0, "dhcp/maas": 80.0, "guest/docker1": 120.0},
    **{"guest/dns2": 65.0, "dns/dns2": 66.0},
}


def prediction(given: BootInputs, **drills: dict[str, float]) -> Prediction:
    return predict(sites.graph(given), given.inventory, list(drills.items()))


def at(found: Prediction, late: dict[str, float] | None = None) -> dict[str, Expected]:
    return {item.part: item for item in found.expected(late)}


def test_without_drills_only_declared_delays_count_and_are_lower_bounds() -> None:
    found = at(prediction(inputs(3)))
    assert (found["start/docker1"].at_s, found["start/docker1"].lower_bound) == (30.0, True)
    assert (found["guest/maas"].at_s, found["guest/maas"].lower_bound) == (0.0, True)


def test_the_drill_that_was_measured_is_what_is_predicted() -> None:
    found = at(prediction(inputs(3), cold=COLD))
    assert {part: found[part].at_s for part in COLD} == COLD
    assert not any(found[part].lower_bound for part in COLD)


def test_a_longer_delay_shifts_what_comes_after_it() -> None:
    slower = with_guest(inputs(3), "maas", startup="order=1,up=120")
    measured = prediction(inputs(3), cold=COLD)
    found = at(measured.model_copy(update={"graph": sites.graph(slower)}))
    # Its turn was 40 + 30 s and its lease came at 80 s; now it is its turn that holds it up.
    assert found["guest/docker1"].at_s == 40.0 + 120.0 + (120.0 - 80.0)
    assert found["guest/docker1"].held_by == "start/docker1"


def test_what_gets_its_power_late_is_late_and_who_needs_it_too() -> None:
    found = at(prediction(inputs(3), cold=COLD), {"node/nas1": 120.0})
    assert found["node/nas1"].at_s == 150.0
    assert found["mount/pve1-vms"].at_s == 150.0 + 15.0
    assert found["guest/maas"].at_s == 70.0, "nofail: nobody waits for it"


def test_what_a_reboot_measured_fills_in_what_no_cold_start_did() -> None:
    reboot = {"node/pve1": 100.0, "guest/maas": 130.0}
    found = prediction(inputs(3), cold={"node/pve1": 40.0, "node/pve2": 50.0}, reboot=reboot)
    assert (found.own["node/pve1"].drill, found.own["node/pve1"].seconds) == ("cold", 40.0)
    assert (found.own["guest/maas"].drill, found.own["guest/maas"].seconds) == ("reboot", 30.0)


def test_who_answered_before_what_it_needs_took_no_time() -> None:
    assert prediction(inputs(3), cold={**COLD, "dns/maas": 69.0}).own["dns/maas"].seconds == 0.0


def test_stages_are_counted_by_what_is_needed_and_not_by_turns() -> None:
    stages = prediction(inputs(3)).stages()
    assert [[item.part for item in stage.parts] for stage in stages] == [
        ["node/pve1", "node/pve2", "node/nas1"],
        ["mount/pve1-vms", "mount/pve2-vms"],
        ["guest/maas", "guest/dns2"],
        ["dns/maas", "dns/dns2", "dhcp/maas"],
        ["guest/docker1"],
        ["compose/web"],
    ]
    assert [stage.number for stage in stages] == [1, 2, 3, 4, 5, 6]


def test_a_name_is_there_when_the_first_resolver_is() -> None:
    found = at(prediction(by_name(inputs(3), "pve1"), cold={"dns/dns2": 66.0, "node/pve1": 40.0}))
    assert found["name/nas1.lab.test for pve1"].held_by == "dns/dns2"
    assert found["boot/pve1"].at_s == 66.0


def test_what_never_starts_is_not_expected() -> None:
    found = at(prediction(by_name(inputs(3), "pve1", "pve2")))
    assert "guest/maas" not in found
    assert "node/pve1" in found


def test_the_critical_path_leads_from_power_to_what_comes_last() -> None:
    path = critical_path(prediction(inputs(3), cold=COLD).expected())
    assert [item.part for item in path] == [
        *("power/lab", "node/pve1", "boot/pve1", "start/maas", "guest/maas"),
        *("dhcp/maas", "lease/lab", "guest/docker1", "compose/web"),
    ]
    assert critical_path(()) == ()


def test_orders_of_two_hosts_that_wait_for_each_other_are_not_waited_for() -> None:
    def part(name: str) -> Part:
        return Part(id=f"start/{name}", kind=PartKind.START, label=name)

    def link(before: str, after: str, kind: LinkKind) -> Link:
        ends = {"before": f"start/{before}", "after": f"start/{after}"}
        return Link(**ends, kind=kind, why="", evidence=("x",))

    graph = BootGraph(
        site="x",
        parts=tuple(part(name) for name in ("a1", "a2", "b1", "b2")),
        links=(
            *(link("a1", "a2", LinkKind.AFTER), link("b1", "b2", LinkKind.AFTER)),
            *(link("b2", "a1", LinkKind.NEEDS), link("a2", "b1", LinkKind.NEEDS)),
        ),
    )
    assert {item.part for item in Prediction(graph=graph).expected()} == set(graph.by_id)


@pytest.mark.parametrize("count", [3, 10, 30])
def test_everything_that_starts_is_expected_once(count: int) -> None:
    found = prediction(inputs(count, 3))
    parts = [item.part for item in found.expected()]
    assert sorted(parts) == sorted(found.graph.starting())
