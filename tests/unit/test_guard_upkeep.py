"""Whether this is a moment to break things, shown red: copies, work, storage, supply."""

from __future__ import annotations

from pathlib import Path

import pytest

from blackstart.model.circumstances import NewestFile, RunningTask, StorageHealth, Store
from tests.simulation.circumstances import DAY_S, seen, unseen
from tests.simulation.inventories import small_site

from .guarding import answer, cluster, planned, refusal, request_for, under


class TestEtcPveBackup:
    """Without a fresh copy of /etc/pve no Proxmox node is taken down."""

    def aged(self, days: float) -> dict[str, object]:
        return {"backup": seen(NewestFile(path="./x.tar", age_s=days * DAY_S))}

    def test_a_fresh_one_is_no_objection(self, tmp_path: Path) -> None:
        said = answer("etc-pve-backup", request_for(tmp_path))
        assert said.because == "the newest in a2:/srv/backups/etc-pve is 24h00m old"

    def test_none_declared(self, tmp_path: Path) -> None:
        said = refusal("etc-pve-backup", request_for(tmp_path, inventory=small_site(backups={})))
        assert "no backup of /etc/pve is declared; add backups:" in said

    def test_too_old(self, tmp_path: Path) -> None:
        said = refusal("etc-pve-backup", under(request_for(tmp_path), **self.aged(9)))
        assert "is 9.0 days old and may be 8.0; make one before the drill" in said

    def test_from_the_future(self, tmp_path: Path) -> None:
        said = refusal("etc-pve-backup", under(request_for(tmp_path), **self.aged(-1)))
        assert "from the future" in said

    @pytest.mark.parametrize("why", ["there is no file in it", "no route to host"])
    def test_none_to_be_seen(self, tmp_path: Path, why: str) -> None:
        assert why in refusal("etc-pve-backup", under(request_for(tmp_path), backup=unseen(why)))

    def test_a_fault_that_takes_no_node_down_needs_none(self, tmp_path: Path) -> None:
        asked = planned(
            request_for(tmp_path, inventory=small_site(backups={})),
            nodes_down=(),
        )
        assert answer("etc-pve-backup", asked).because == "no Proxmox node goes down"


def task(kind: str, subject: str = "101") -> RunningTask:
    return RunningTask(kind=kind, node="a2", subject=subject, user="root@pam")


class TestBusy:
    """Nothing is under way that a fault would tear."""

    @pytest.mark.parametrize(
        "kind", ["vzdump", "qmigrate", "vzmigrate", "qmsnapshot", "imgcopy", "aptupdate", "novel"]
    )
    def test_a_task_of_any_kind(self, tmp_path: Path, kind: str) -> None:
        said = refusal("busy", cluster(request_for(tmp_path), tasks=seen((task(kind),))))
        assert said == (
            f"at work now: {kind} of 101 by root@pam on a2; wait for its end, then try again"
        )

    def test_an_open_console_is_no_work(self, tmp_path: Path) -> None:
        asked = cluster(request_for(tmp_path), tasks=seen((task("vncproxy"),)))
        assert answer("busy", asked).refusal is None

    def test_tasks_that_cannot_be_seen(self, tmp_path: Path) -> None:
        asked = cluster(request_for(tmp_path), tasks=unseen("it needs Sys.Audit on /nodes/a1"))
        assert "it needs Sys.Audit on /nodes/a1" in refusal("busy", asked)

    @pytest.mark.parametrize("host", ["a1", "a2", "box"])
    def test_work_on_a_host_or_in_a_guest_that_falls(self, tmp_path: Path, host: str) -> None:
        asked = under(request_for(tmp_path), at_work={host: seen(("scrub of pool tank",))})
        assert f"{host}: scrub of pool tank" in refusal("busy", asked)

    def test_a_guest_that_stays_is_not_asked(self, tmp_path: Path) -> None:
        guests = small_site().model_dump(mode="json")["guests"]
        for guest in guests.values():
            guest |= {"budget": "2m", "ssh": True}
        request = request_for(tmp_path, inventory=small_site(guests=guests))
        asked = under(request, at_work={"k1": seen(("apt runs",))})
        assert answer("busy", asked).refusal is None
        fallen = planned(asked, blast_radius=("a2", "k1"))
        assert "k1: apt runs" in refusal("busy", fallen)

    def test_a_host_that_cannot_be_asked(self, tmp_path: Path) -> None:
        asked = under(request_for(tmp_path), at_work={"a2": unseen("zfs: no answer within 8 s")})
        assert "on a2 cannot be seen (simulation: zfs: no answer" in refusal("busy", asked)


class TestStorage:
    """A drill must not be the second failure."""

    def test_absence_is_told(self, tmp_path: Path) -> None:
        said = answer("storage", request_for(tmp_path))
        assert said.because.startswith("2 stores active; a1: no md, no zfs, no btrfs, no ceph")

    def test_an_array_without_a_disk(self, tmp_path: Path) -> None:
        ill = StorageHealth(damage=("md0 has 1 of 2 disks",), seen=("md looked at",))
        said = refusal("storage", under(request_for(tmp_path), arrays={"a2": seen(ill)}))
        assert said == "storage is degraded: a2: md0 has 1 of 2 disks; repair that first"

    def test_a_store_that_is_not_active(self, tmp_path: Path) -> None:
        stores = seen((Store(node="a2", name="nas", active=False),))
        said = refusal("storage", cluster(request_for(tmp_path), stores=stores))
        assert "store nas is not active on a2" in said

    def test_what_cannot_be_seen(self, tmp_path: Path) -> None:
        request = request_for(tmp_path)
        assert "403" in refusal("storage", cluster(request, stores=unseen("403")))
        asked = under(request, arrays={"a1": unseen("zpool: not found")})
        assert "a1 cannot be seen (simulation: zpool: not found)" in refusal("storage", asked)


class TestUps:
    """On battery nobody breaks anything."""

    SITE = small_site(ups={"host": "a2", "name": "rack-ups"})

    def test_none_declared(self, tmp_path: Path) -> None:
        assert answer("ups", request_for(tmp_path)).because == "no UPS is declared"

    def test_on_mains(self, tmp_path: Path) -> None:
        said = answer("ups", request_for(tmp_path, inventory=self.SITE))
        assert said.because == "the UPS rack-ups says OL CHRG"

    @pytest.mark.parametrize("status", ["OB", "OB LB", "OB DISCHRG", "OL LB", "FSD OL", "WAIT"])
    def test_anything_but_mains(self, tmp_path: Path, status: str) -> None:
        asked = under(request_for(tmp_path, inventory=self.SITE), supply=seen(status))
        assert f"says {status}; wait until it is on mains (OL)" in refusal("ups", asked)

    def test_one_that_cannot_be_read(self, tmp_path: Path) -> None:
        stale = unseen("Error: Data stale")
        asked = under(request_for(tmp_path, inventory=self.SITE), supply=stale)
        assert "Data stale" in refusal("ups", asked)
