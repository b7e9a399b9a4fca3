"""The NAS's three faults: planned, seen by clients, undone; red when they did not bite."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from blackstart.drivers.base import Site
from blackstart.errors import Rejected
from blackstart.faults import nas
from blackstart.faults.base import PLAN, Plan
from blackstart.faults.nas import NasFault, nas_block, nas_stale, nas_stop
from blackstart.model.deadman import DeadMan
from blackstart.model.inventory import Inventory
from tests.simulation.drivers import site_of
from tests.simulation.inventories import small_site
from tests.simulation.world import World
from tests.unit.collect.local import tool

from .nas_machine import MEDIA, MEDIA_V6, OTHER, VMS, NasMachine

ALL = [nas_stop, nas_block, nas_stale]


def inventory(**changes: Any) -> Inventory:
    document: dict[str, Any] = {
        "site": "home",
        "domain": "home.test",
        "nodes": {
            "pve": {"address": "10.0.0.11"},
            "nas": {"address": "10.0.0.20", "role": "nas"},
        },
        "guests": {
            "box": {
                "vmid": 101,
                "kind": "qemu",
                "node": "pve",
                "address": "10.0.0.101",
                "mac": "bc:24:11:00:00:01",
                "ssh": True,
            }
        },
        "compose": {
            "film": {
                "guest": "box",
                "directory": "/opt/film",
                "services": ["player"],
                "sentinel": "/mnt/media/sentinel",
            },
            "web": {
                "guest": "box",
                "directory": "/mnt/media2/web",
                "services": ["web"],
                "sentinel": "/opt/web/s",
            },
        },
        "mounts": {
            "vms": {"host": "pve", "path": "/mnt/vms", "server": "nas", "export": "/export/vms"},
            "media": {
                "host": "box",
                "path": "/mnt/media",
                "server": "nas",
                "export": "/export/media",
            },
        },
    }
    return Inventory.model_validate({**document, **changes})


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> NasMachine:
    """A NAS whose dead-man is somebody else's test, and questions that end in a second."""
    monkeypatch.setattr(nas, "QUESTION_S", 1)
    monkeypatch.setattr(nas, "BITE_WINDOW_S", 2.0)
    monkeypatch.setattr(DeadMan, "guarding", lambda _, command: command)
    return NasMachine(tmp_path)


def site_with(machine: NasMachine, **changes: Any) -> Site:
    site = site_of(World(small_site()))
    return replace(site, inventory=inventory(**changes), runner=machine)


def planned(fault: NasFault, site: Site) -> Plan:
    """A plan as the journal gives it back, with its dead-man."""
    plan = replace(fault.plan(site), deadman=DeadMan("one", "nas", 20))
    return PLAN.validate_python(PLAN.dump_python(plan, mode="json"))


@pytest.mark.parametrize("make", ALL)
def test_it_bites_and_is_undone_to_the_letter(
    machine: NasMachine, make: Callable[[str], NasFault]
) -> None:
    fault, site = make("nas"), site_with(machine)
    plan = planned(fault, site)
    assert plan.blast_radius == ("mount/vms", "mount/media", "compose/film")
    assert {host for host, command in machine.ran if "stat -f" in command} == {"pve", "box"}
    assert machine.exports == sorted([VMS, MEDIA, MEDIA_V6, OTHER])
    fault.inject(site, plan)
    proof = fault.prove_active(site, plan)
    assert proof.holds, proof.detail
    for _ in range(2):  # the dead-man may have been there before
        fault.revert(site, plan)
        assert fault.prove_reverted(site, plan).holds
    assert machine.exports == sorted([VMS, MEDIA, MEDIA_V6, OTHER])
    assert nas.ask(site, site.inventory.mounts["vms"]).state == "answers"


def test_what_a_client_shows_is_the_proof(machine: NasMachine) -> None:
    site = site_with(machine)
    said = {}
    for make in ALL:
        fault = make("nas")
        plan = planned(fault, site)
        fault.inject(site, plan)
        said[fault.name] = fault.prove_active(site, plan).detail
        fault.revert(site, plan)
    hangs = (
        "mount/vms on pve hangs: no answer within 1 s; "
        "mount/media on box hangs: no answer within 1 s"
    )
    assert said == {
        "nas-stop": hangs,
        "nas-block": hangs,
        "nas-stale": "mount/vms on pve is stale: Stale file handle; "
        "mount/media on box is stale: Stale file handle",
    }


@pytest.mark.parametrize("make", ALL)
def test_a_change_that_does_nothing_did_not_bite(
    machine: NasMachine, make: Callable[[str], NasFault]
) -> None:
    fault, site = make("nas"), site_with(machine)
    plan = planned(fault, site)
    machine.does("lie")
    fault.inject(site, plan)
    proof = fault.prove_active(site, plan)
    assert not proof.holds
    assert proof.detail == (
        f"2 s after {fault.name}: mount/vms on pve still answers; mount/media on box still answers"
    )


def test_half_of_the_clients_is_not_bitten(machine: NasMachine) -> None:
    fault, site = nas_stale("nas"), site_with(machine)
    plan = planned(fault, site)
    machine.exported(MEDIA)
    proof = fault.prove_active(site, plan)
    assert not proof.holds
    assert "mount/media on box still answers" in proof.detail


@pytest.mark.parametrize("make", ALL)
def test_a_client_that_is_away_proves_nothing(
    machine: NasMachine, make: Callable[[str], NasFault]
) -> None:
    fault, site = make("nas"), site_with(machine)
    plan = planned(fault, site)
    fault.inject(site, plan)
    machine.away = {"pve"}
    proof = fault.prove_active(site, plan)
    assert not proof.holds
    assert "mount/vms could not be asked: pve: No route to host" in proof.detail


def test_a_soft_mount_fails_in_place_of_hanging(machine: NasMachine) -> None:
    fault, site = nas_stop("nas"), site_with(machine)
    plan = planned(fault, site)
    machine.does("soft")
    fault.inject(site, plan)
    proof = fault.prove_active(site, plan)
    assert proof.holds
    assert proof.detail.startswith("mount/vms on pve fails: Input/output error; ")


def test_a_hang_is_not_the_stale_handle_that_was_asked_for(machine: NasMachine) -> None:
    fault, site = nas_stale("nas"), site_with(machine)
    plan = planned(fault, site)
    fault.inject(site, plan)
    machine.does("soft")
    proof = fault.prove_active(site, plan)
    assert not proof.holds
    assert "mount/vms on pve hangs" in proof.detail


@pytest.mark.parametrize("make", ALL)
def test_without_a_declared_mount_nobody_could_see_it(
    machine: NasMachine, make: Callable[[str], NasFault]
) -> None:
    with pytest.raises(Rejected, match=r"declares no mount of it.*add mounts: {NAME: {host: HOST"):
        make("nas").plan(site_with(machine, mounts={}))
    assert machine.ran == []


@pytest.mark.parametrize("make", ALL)
def test_a_mount_that_is_dead_already_refuses(
    machine: NasMachine, make: Callable[[str], NasFault]
) -> None:
    machine.exported(VMS)
    missing = (
        "does not export /export/media" if make is nas_stale else "mount/media on box is stale"
    )
    with pytest.raises(Rejected, match=missing):
        make("nas").plan(site_with(machine))


def test_a_client_without_the_programs_refuses(machine: NasMachine) -> None:
    tool(machine.root, "timeout", "echo 'sh: 1: timeout: not found' >&2; exit 127")
    with pytest.raises(Rejected, match=r"pve cannot ask for its mounts: .*timeout: not found"):
        nas_block("nas").plan(site_with(machine))


def test_a_server_that_is_not_active_cannot_be_stopped(machine: NasMachine) -> None:
    (machine.state / "nfs-server.service").write_text("inactive\n")
    with pytest.raises(Rejected, match=r"no NFS server of systemd is active .*use nas-block"):
        nas_stop("nas").plan(site_with(machine))


def test_an_export_that_a_restart_would_lose_refuses(machine: NasMachine) -> None:
    machine.etc_exports = "# by hand: exportfs 10.0.0.0/24:/export/media\n/export/vms *(rw)\n"
    with pytest.raises(Rejected, match="/export/media is in no /etc/exports"):
        nas_stop("nas").plan(site_with(machine))


def test_a_table_of_ours_that_is_there_already_refuses(machine: NasMachine) -> None:
    (machine.state / "table").touch()
    with pytest.raises(Rejected, match="nas-block is not possible as it is now"):
        nas_block("nas").plan(site_with(machine))


def test_only_what_is_declared_is_unexported(machine: NasMachine) -> None:
    fault, site = nas_stale("nas"), site_with(machine)
    fault.inject(site, planned(fault, site))
    assert machine.exports == [OTHER]
    unexported = [command for _, command in machine.ran if command.startswith("exportfs -u")]
    assert unexported == [
        "exportfs -u '*:/export/media'",
        "exportfs -u '[2001:db8::]/32:/export/media'",
        "exportfs -u '10.0.0.0/24:/export/vms'",
    ]


@pytest.mark.parametrize("text", ["rw'; reboot; '", 'x"}; reboot; {"', "$(reboot)", "rw`reboot`"])
def test_an_export_that_is_no_plain_text_refuses(machine: NasMachine, text: str) -> None:
    machine.exported(MEDIA, f"/export/vms  *({text.replace(' ', '')})")
    with pytest.raises(Rejected, match="nobody could put it back safely"):
        nas_stale("nas").plan(site_with(machine))


@pytest.mark.parametrize("make", ALL)
def test_rescue_commands_are_the_undo(machine: NasMachine, make: Callable[[str], NasFault]) -> None:
    plan = make("nas").plan(site_with(machine))
    assert all(line.startswith("ssh root@10.0.0.20 ") for line in plan.rescue)
    assert len(plan.rescue) == len(plan.undo) > 0
