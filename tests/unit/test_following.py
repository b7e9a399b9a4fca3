"""Faults that follow another: asked for leave with it, struck when they may, proven ended."""

from __future__ import annotations

from pathlib import Path

import pytest

from blackstart.errors import Refusal, UsageError
from blackstart.faults.guest_reboot import GuestReboot, reboot_guest
from blackstart.faults.lease_renewal import renew_lease
from blackstart.faults.nas import nas_block
from blackstart.faults.service import restart_service
from blackstart.faults.service_stop import stop_service
from blackstart.inventory_file import load
from tests.simulation.drilling import Harness
from tests.simulation.families import CASES, fault_of, shared_site
from tests.simulation.lies import Lies
from tests.simulation.world import World

FIRST = restart_service("dns2", "isc-dhcp-server.service")


def harness(tmp_path: Path, lies: Lies | None = None) -> Harness:
    return Harness(tmp_path, World(load(CASES / "with-dhcp.yaml"), lies))


def test_each_has_its_plan_its_proof_and_its_end_and_the_last_ends_first(tmp_path: Path) -> None:
    one = harness(tmp_path)
    assert one.run(FIRST, then=[renew_lease("box"), reboot_guest("k1")]) == "pass"
    order = ["dns2", "box", "k1"]
    assert [it.data["plan"]["target"] for it in one.journal().of("fault.planned")] == order
    assert [it.data["target"] for it in one.journal().of("fault.active")] == order
    assert [it.data["target"] for it in one.journal().of("fault.closed")] == order[::-1]
    assert one.journal().entries[0].data["targets"] == order
    assert one.journal().entries[0].data["fault"] == "service-restart"


def test_one_that_would_have_to_be_undone_is_refused_before_anything_is_touched(
    tmp_path: Path,
) -> None:
    one = harness(tmp_path)
    for then in (nas_block("nas1"), stop_service("dns1", "named.service")):
        with pytest.raises(UsageError, match="cannot follow another fault"):
            one.run(FIRST, name=then.name, then=[then])
        assert one.verdict(then.name) == "unproven"
    assert not one.world.bitten


def test_each_asks_for_its_own_consent(tmp_path: Path) -> None:
    declared = load(CASES / "with-dhcp.yaml")
    unwilling = declared.guests["k1"].model_copy(update={"may_break": {}})
    guests = {**declared.guests, "k1": unwilling}
    one = Harness(tmp_path, World(declared.model_copy(update={"guests": guests})))
    with pytest.raises(Refusal, match="k1 has not opted in to guest-reboot"):
        one.run(FIRST, then=[reboot_guest("k1")])
    assert not one.world.bitten
    assert not one.open()


def test_one_that_did_not_bite_leaves_the_drill_unproven(tmp_path: Path) -> None:
    one = harness(tmp_path, Lies(guest_reboot_swallowed=True))
    assert one.run(FIRST, then=[reboot_guest("k1")]) == "unproven"
    (said,) = one.journal().of("judgement")
    assert (said.data["name"], said.data["target"]) == ("fault-bit", "k1")
    assert not one.open()


def test_nothing_follows_a_fault_that_did_not_bite(tmp_path: Path) -> None:
    one = harness(tmp_path, Lies(swallowed=frozenset({"restart-unit"})))
    assert one.run(FIRST, then=[reboot_guest("k1")]) == "unproven"
    assert one.world.bitten == []
    assert len(one.journal().of("fault.planned")) == 1


def test_one_that_is_refused_by_its_target_is_closed_and_so_is_the_first(tmp_path: Path) -> None:
    one = harness(tmp_path, Lies(guest_reboot_fails=True))
    assert one.run(FIRST, then=[reboot_guest("k1"), renew_lease("box")]) == "unproven"
    assert [it.data["target"] for it in one.journal().of("fault.closed")] == ["k1", "dns2"]
    assert not one.open()


def test_one_whose_end_cannot_even_be_asked_stops_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(self: object, site: object, plan: object) -> object:
        raise RuntimeError("a defect")

    monkeypatch.setattr(GuestReboot, "prove_reverted", broken)
    one = harness(tmp_path)
    assert one.run(FIRST, then=[reboot_guest("k1")]) == "fail"
    assert [it.data["target"] for it in one.journal().of("fault.closed")] == ["dns2"]
    (still_open,) = one.open()
    assert still_open.plan.target == "k1"
    said = [it.data["reason"] for it in one.journal().of("judgement")]
    assert said == ["not proven reverted, and open until it is: RuntimeError: a defect"]


def test_what_nobody_probes_counts_as_not_answering(tmp_path: Path) -> None:
    one = harness(tmp_path, Lies(blind=frozenset({"dhcp/lan"})))
    assert one.run(FIRST, then=[renew_lease("box")]) == "unproven"
    reasons = [it.data["reason"] for it in one.journal().of("judgement")]
    assert "lease-renewal not tried: dhcp/lan did not answer again" in reasons


def test_a_fault_that_did_not_last_is_unproven_and_still_reverted(tmp_path: Path) -> None:
    lies = Lies(watched=frozenset({"snap.maas.pebble.service"}))
    one = Harness(tmp_path, World(shared_site(), lies))
    assert one.run(fault_of("service-stop"), hold_s=20.0) == "unproven"
    (said,) = one.journal().of("judgement")
    assert said.data["name"] == "fault-lasted"
    assert not one.open()
