"""State of the site, shown red: locks, leftovers of other drills, what must never go down."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import pytest

from blackstart.drivers.base import CommandResult
from blackstart.errors import Unreachable
from blackstart.model.facts import Mount, Observed
from blackstart.safety.guard import Request
from tests.simulation.circumstances import seen, unseen
from tests.simulation.drivers import SimulatedDeadMen
from tests.simulation.inventories import small_site
from tests.simulation.world import Lies, World

from .guarding import answer, at, drifted, planned, refusal, request_for


class TestMounts:
    """A mount that hangs already is no site to break."""

    MOUNT: ClassVar = {"host": "a1", "path": "/mnt/m", "server": "a2", "export": "/srv/m"}
    SEEN = Mount(source="a2:/srv/m", target="/mnt/m", fstype="nfs4", answers=True)

    def asked(self, drills: Path, told: dict[str, Observed[tuple[Mount, ...]]]) -> Request:
        request = request_for(drills, inventory=small_site(mounts={"m": self.MOUNT}))
        return replace(request, facts=request.facts.model_copy(update={"mounts": told}))

    def test_one_that_answers(self, tmp_path: Path) -> None:
        asked = self.asked(tmp_path, {"m": seen((self.SEEN,))})
        assert answer("healthy", asked).refusal is None

    @pytest.mark.parametrize(
        ("told", "why"),
        [
            ({}, "cannot be seen (no facts)"),
            ({"m": unseen("no route to host")}, "cannot be seen (no route to host)"),
            ({"m": seen(())}, "is not mounted"),
            ({"m": seen((SEEN.model_copy(update={"answers": False}),))}, "does not answer"),
        ],
    )
    def test_one_that_does_not(
        self, tmp_path: Path, told: dict[str, Observed[tuple[Mount, ...]]], why: str
    ) -> None:
        said = refusal("healthy", self.asked(tmp_path, told))
        assert f"mount m (/mnt/m on a1) {why}" in said


class TestGuestLocks:
    """A locked guest does not start again by itself."""

    def test_a_lock_on_a_guest_that_falls(self, tmp_path: Path) -> None:
        said = refusal("guest-locks", request_for(tmp_path, lies=Lies(config={"lock": "backup"})))
        assert said.startswith("guest dns1 is locked (backup): qm unlock 101 on a1; guest box")
        assert "dns2" not in said

    def test_a_configuration_that_cannot_be_read(self, tmp_path: Path) -> None:
        request = request_for(tmp_path, lies=Lies(unreadable=frozenset({"box"})))
        assert "whether guest box is locked cannot be seen" in refusal("guest-locks", request)

    def test_a_guest_that_stays_may_be_unreadable(self, tmp_path: Path) -> None:
        request = request_for(tmp_path, lies=Lies(unreadable=frozenset({"dns2"})))
        assert answer("guest-locks", request).because == "2 guests looked at, none is locked"

    def test_a_guest_without_facts(self, tmp_path: Path) -> None:
        request = request_for(tmp_path)
        blind = replace(request, facts=request.facts.model_copy(update={"guests": {}}))
        assert "no facts" in refusal("guest-locks", blind)


class TestLeftovers:
    """Somebody else's undo would undo ours."""

    def armed_on(self, armed: str) -> SimulatedDeadMen:
        class Left(SimulatedDeadMen):
            def traces(self, host: str) -> tuple[str, ...]:
                return ("old-drill",) if host == armed else ()

        return Left(World(small_site()))

    def test_a_dead_man_on_the_target(self, tmp_path: Path) -> None:
        asked = at(request_for(tmp_path), deadmen=self.armed_on("a1"))
        said = refusal("leftovers", asked)
        assert "left by another drill on a1: old-drill; run: blackstart recover" in said

    def test_a_dead_man_where_the_undo_will_run(self, tmp_path: Path) -> None:
        asked = at(request_for(tmp_path), deadmen=self.armed_on("a2"))
        assert answer("leftovers", asked).because == "no dead-man on a1"
        assert "a2: old-drill" in refusal("leftovers", planned(asked, undo_host="a2"))

    def test_a_dead_man_in_a_guest(self, tmp_path: Path) -> None:
        asked = planned(request_for(tmp_path), undo_host="box")
        assert "box: old-drill" in refusal("leftovers", at(asked, deadmen=self.armed_on("box")))

    def test_a_host_that_cannot_be_asked(self, tmp_path: Path) -> None:
        class Silent(SimulatedDeadMen):
            def traces(self, host: str) -> tuple[str, ...]:
                raise Unreachable(f"{host}: no route to host")

        asked = at(request_for(tmp_path), deadmen=Silent(World(small_site())))
        assert refusal("leftovers", asked) == "could not be answered: a1: no route to host"


class TestDrift:
    """A rack on which an incident's drift is applied shows more than the fault."""

    def test_a_drift_that_is_applied(self, tmp_path: Path) -> None:
        said = refusal("drift", drifted(request_for(tmp_path), CommandResult(0, "gone@efi\n", "")))
        assert said.startswith("the drift gone@efi is applied, by a replay that runs or was killed")
        assert said.endswith("run: blackstart rack reset")

    def test_none(self, tmp_path: Path) -> None:
        given = answer("drift", drifted(request_for(tmp_path), CommandResult(0, "", "")))
        assert (given.refusal, given.because) == (None, "no mark of a drift on a2")

    def test_a_mark_that_cannot_be_read(self, tmp_path: Path) -> None:
        said = refusal("drift", drifted(request_for(tmp_path), CommandResult(1, "", "I/O error\n")))
        assert said == "whether a drift is applied cannot be seen (a2: I/O error)"

    def test_another_site_is_not_asked(self, tmp_path: Path) -> None:
        given = answer("drift", request_for(tmp_path))
        assert (given.refusal, given.because) == (None, "")


class TestNeverDown:
    """A group of which the fault would leave nothing."""

    def site(self, *members: str, **changes: object) -> dict[str, object]:
        groups = {"names": {"any_of": list(members)}}
        return {"inventory": small_site(never_down=groups, **changes)}

    def test_a_member_elsewhere_is_enough(self, tmp_path: Path) -> None:
        request = request_for(tmp_path, **self.site("dns/dns1", "dns/dns2"))  # type: ignore[arg-type]
        assert answer("never-down", request).because == "1 declared, each keeps a member"

    @pytest.mark.parametrize(
        "members",
        [("dns/dns1",), ("dns/dns1", "service/web"), ("node/a1", "guest/box"), ("mount/media",)],
    )
    def test_nothing_would_be_left(self, tmp_path: Path, members: tuple[str, ...]) -> None:
        mount = {"host": "box", "path": "/mnt/m", "server": "a2", "export": "/srv/m"}
        site = self.site(*members, mounts={"media": mount})
        said = refusal("never-down", request_for(tmp_path, **site))  # type: ignore[arg-type]
        assert f"names ({', '.join(members)})" in said

    def test_a_mount_falls_with_its_server(self, tmp_path: Path) -> None:
        mount = {"host": "a2", "path": "/mnt/m", "server": "a1", "export": "/srv/m"}
        site = self.site("mount/media", mounts={"media": mount})
        assert "mount/media" in refusal("never-down", request_for(tmp_path, **site))  # type: ignore[arg-type]

    def test_what_a_plan_names_itself(self, tmp_path: Path) -> None:
        request = request_for(tmp_path, **self.site("dns/dns2"))  # type: ignore[arg-type]
        assert answer("never-down", request).refusal is None
        named = planned(request, blast_radius=("dns/dns2",))
        assert "dns/dns2" in refusal("never-down", named)

    def test_a_cold_start_takes_it_on_purpose_and_says_so(self, tmp_path: Path) -> None:
        request = request_for(tmp_path, **self.site("dns/dns1"))  # type: ignore[arg-type]
        said = answer("never-down", planned(request, fault="cold-start"))
        assert said.because == "a cold start takes it down on purpose: names (dns/dns1)"
