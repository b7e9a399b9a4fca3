"""What the rest of the cluster would do, shown red: memory of survivors, fencing."""

from __future__ import annotations

from pathlib import Path

import pytest

from blackstart.model.circumstances import Capacity, Managed, Memory
from tests.simulation.circumstances import GIB, seen, unseen

from .guarding import answer, cluster, managing, planned, refusal, request_for


def memory(free_gib: int, **guests: int) -> Memory:
    nodes = {"a1": Capacity(total=99 * GIB, used=0), "a2": Capacity(total=64 * GIB, used=0)}
    nodes["a2"] = Capacity(total=64 * GIB, used=(64 - free_gib) * GIB)
    return Memory(nodes=nodes, guests={f"vm:{sid[2:]}": gib * GIB for sid, gib in guests.items()})


class TestSurvivorMemory:
    """A guest that fails over needs memory where it goes."""

    def test_no_guest_that_fails_over_is_no_objection(self, tmp_path: Path) -> None:
        said = answer("survivor-memory", request_for(tmp_path))
        assert said.wording == "no objection: no guest fails over"

    def test_too_little_is_left(self, tmp_path: Path) -> None:
        told = {"high_availability": managing("vm:101"), "memory": seen(memory(3, vm101=4))}
        said = refusal("survivor-memory", cluster(request_for(tmp_path), **told))
        assert said.startswith("vm:101 would fail over with 4.0 GiB and a2 has 3.0 GiB left")

    def test_each_would_fit_alone_and_both_do_not(self, tmp_path: Path) -> None:
        sure = memory(6, vm101=4, vm102=4)
        told = {"high_availability": managing("vm:101", "vm:102"), "memory": seen(sure)}
        assert "a2 has 2.0 GiB left" in refusal(
            "survivor-memory", cluster(request_for(tmp_path), **told)
        )

    def test_what_fits_is_no_objection(self, tmp_path: Path) -> None:
        told = {"high_availability": managing("vm:101"), "memory": seen(memory(6, vm101=4))}
        said = answer("survivor-memory", cluster(request_for(tmp_path), **told))
        assert said.because == "1 guests fail over and fit"

    def test_the_node_that_falls_takes_nobody_in(self, tmp_path: Path) -> None:
        told = {"high_availability": managing("vm:101"), "memory": seen(memory(0, vm101=1))}
        assert "a2 has 0.0 GiB" in refusal(
            "survivor-memory", cluster(request_for(tmp_path), **told)
        )

    def test_no_survivor_shows_its_memory(self, tmp_path: Path) -> None:
        alone = Memory(nodes={"a1": Capacity(total=9, used=0)}, guests={"vm:101": 1})
        told = {"high_availability": managing("vm:101"), "memory": seen(alone)}
        assert "no node has any GiB left" in refusal(
            "survivor-memory", cluster(request_for(tmp_path), **told)
        )

    @pytest.mark.parametrize(
        "told",
        [
            {"high_availability": unseen("403 Sys.Audit")},
            {"high_availability": managing("vm:101"), "memory": unseen("403 Sys.Audit")},
        ],
    )
    def test_what_cannot_be_seen_refuses(self, tmp_path: Path, told: dict[str, object]) -> None:
        asked = cluster(request_for(tmp_path), **told)  # type: ignore[arg-type]
        assert "cannot be seen (simulation: 403 Sys.Audit)" in refusal("survivor-memory", asked)

    def test_a_guest_of_unknown_size_refuses(self, tmp_path: Path) -> None:
        told = {"high_availability": managing("vm:101"), "memory": seen(memory(60))}
        assert "vm:101 may take cannot be seen" in refusal(
            "survivor-memory", cluster(request_for(tmp_path), **told)
        )

    @pytest.mark.parametrize("state", ["stopped", "disabled"])
    def test_a_guest_that_is_off_stays_off(self, tmp_path: Path, state: str) -> None:
        off = (Managed(sid="vm:101", node="a1", state=state),)
        told = {"high_availability": managing(managed=off), "memory": unseen()}
        said = answer("survivor-memory", cluster(request_for(tmp_path), **told))
        assert said.because == "no guest fails over"

    def test_guests_of_other_nodes_stay_where_they_are(self, tmp_path: Path) -> None:
        told = {"high_availability": managing("vm:103", node="a2"), "memory": unseen()}
        said = answer("survivor-memory", cluster(request_for(tmp_path), **told))
        assert said.because == "no guest fails over"


class TestFencing:
    """A node that the watchdog resets is no longer our fault but the cluster's own."""

    def test_no_managed_guest_is_no_objection(self, tmp_path: Path) -> None:
        said = answer("ha-fencing", request_for(tmp_path))
        assert said.because == "high availability manages no guest"

    def test_an_armed_cluster_refuses_a_power_cut(self, tmp_path: Path) -> None:
        asked = cluster(request_for(tmp_path), high_availability=managing("vm:103", node="a2"))
        said = refusal("ha-fencing", asked)
        assert "it may answer power-cut by fencing a1" in said
        assert "node-maintenance enable a1" in said

    @pytest.mark.parametrize("fault", ["memory", "cold-start", "service-restart"])
    def test_every_fault_that_may_fence_is_refused(self, tmp_path: Path, fault: str) -> None:
        asked = cluster(request_for(tmp_path), high_availability=managing("vm:101"))
        assert fault in refusal("ha-fencing", planned(asked, fault=fault))

    def test_a_graceful_reboot_fences_nobody(self, tmp_path: Path) -> None:
        asked = cluster(request_for(tmp_path, cut=False), high_availability=managing("vm:101"))
        assert answer("ha-fencing", asked).because == "reboot of a1 fences nobody"

    def test_maintenance_of_the_node_itself_spares_it(self, tmp_path: Path) -> None:
        spared = managing("vm:101", maintenance=("a1",))
        asked = cluster(request_for(tmp_path), high_availability=spared)
        assert answer("ha-fencing", asked).because == "a1 in maintenance"
        other = managing("vm:101", maintenance=("a2",))
        assert refusal("ha-fencing", cluster(request_for(tmp_path), high_availability=other))

    def test_a_cold_start_needs_every_node_in_maintenance(self, tmp_path: Path) -> None:
        one = managing("vm:101", maintenance=("a1",))
        asked = cluster(request_for(tmp_path), high_availability=one)
        dark = planned(asked, fault="cold-start", nodes_down=("a1", "a2"))
        assert "fencing a2" in refusal("ha-fencing", dark)

    def test_disarmed_as_a_whole(self, tmp_path: Path) -> None:
        off = managing("vm:101", disarmed=True)
        asked = cluster(request_for(tmp_path), high_availability=off)
        assert answer("ha-fencing", asked).because == "high availability is disarmed"

    def test_what_cannot_be_seen_refuses(self, tmp_path: Path) -> None:
        asked = cluster(request_for(tmp_path), high_availability=unseen("no answer within 10 s"))
        assert "no answer within 10 s" in refusal("ha-fencing", asked)
