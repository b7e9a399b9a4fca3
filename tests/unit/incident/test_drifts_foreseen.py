"""Drifts on the rack's own files: each turns red what it names and nothing else, and is mended.

Here files are real and machines are not; what only a running machine shows (containers, leases,
a reboot) is replayed on the rack (``tests/rack/test_incidents.py``).
"""

from __future__ import annotations

import subprocess
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from blackstart.errors import Found, Unproven
from blackstart.incident.declaring import declaring
from blackstart.incident.loading import Case
from blackstart.inventory_file import load
from blackstart.model.inventory import Inventory
from blackstart.model.redundancy import groups
from tests.unit.calling import call, checks_in

from .drifts import RACK, ROOT
from .scratch import HYPERVISORS, Rack
from .test_loading import CASES

ASKED = checks_in(
    *("test_guest_boot", "test_guest_volumes", "test_redundancy", "test_boot_order"),
    *("test_storage", "test_memory_headroom"),
)
OF_HOSTS = {
    name: check
    for name, check in checks_in("test_fstab", "test_mounts", "test_host_boot").items()
    if name
    in {
        *("network_mount_names_its_server_by_address", "network_mount_is_not_required"),
        *("network_mount_is_bounded", "declared_type_is_the_real_one", "fstab_is_understood"),
        *("what_is_mounted_comes_back", "every_entry_is_mounted", "disk_is_named_by_what_it_is"),
        "own_name_is_an_address_of_its_own",
    }
}
ALL: dict[str, Callable[..., None]] = {**ASKED, **OF_HOSTS}
OTHERS = ("dynamic-host-entry", "restart-policy", "records-lost", "copy-old-and-partial")
ON_FILES = [case for case in CASES if case.name not in OTHERS]


def targets(inventory: Inventory) -> dict[str, tuple[str, ...]]:
    guests = tuple(name for name, guest in inventory.guests.items() if guest.running)
    return {
        **{"guest": guests, "host": HYPERVISORS, "machine": HYPERVISORS},
        **{"hypervisor": HYPERVISORS, "redundancy_group": tuple(groups(inventory))},
    }


def seen(rack: Rack, inventory: Inventory) -> Iterator[tuple[tuple[str, str], str]]:
    """Check and target of all that does not hold, and whether it fails or is unproven."""
    given = rack.given(inventory)
    accepted = {(item.check, item.target) for item in inventory.accept}
    for name, check in ALL.items():
        for kind, target in _asked(check, inventory):
            key = (name, target)
            try:
                call(check, {**given, kind: target} if kind else given)
            except Found:
                verdict = "fail"
            except Unproven:
                verdict = "unproven"
            except pytest.skip.Exception:
                continue
            else:
                continue
            if key not in accepted:
                yield key, verdict


def _asked(check: Callable[..., Any], inventory: Inventory) -> Iterator[tuple[str, str]]:
    names = check.__code__.co_varnames[: check.__code__.co_argcount]
    for kind, found in targets(inventory).items():
        if kind in names:
            yield from ((kind, target) for target in found)


@pytest.fixture
def rack(tmp_path: Path) -> Rack:
    return Rack.seeded(tmp_path)


def test_without_a_drift_all_of_it_holds(rack: Rack) -> None:
    assert dict(seen(rack, RACK)) == {}


@pytest.mark.parametrize("case", ON_FILES, ids=lambda case: case.id)
def test_a_drift_turns_red_what_it_names_and_nothing_else(
    case: Case, rack: Rack, tmp_path: Path
) -> None:
    file = ROOT / "inventory/rack.yaml"
    inventory = load(declaring(file, case.drift.declares, tmp_path / "declared"))
    before = rack.everything()
    for step in case.drift.apply:
        rack.run(step)
    assert rack.everything() != before
    found = dict(seen(rack, inventory))
    red = {key for key, verdict in found.items() if verdict == "fail"}
    unread = {key for key, verdict in found.items() if verdict == "unproven"}
    assert red == {claim.key for claim in case.drift.red if claim.check in ALL}
    assert unread == {claim.key for claim in case.drift.unseen}
    for step in case.drift.fix:
        rack.run(step)
    if case.drift.fix:
        assert rack.everything() == before


def test_most_drifts_are_shown_here_already() -> None:
    shown = {claim.check for case in ON_FILES for claim in case.drift.red}
    assert shown <= ALL.keys()
    assert len(ON_FILES) == len(CASES) - 4


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_every_script_is_one_of_a_plain_shell(case: Case) -> None:
    for step in (*case.drift.apply, *case.drift.fix):
        done = subprocess.run(
            ["sh", "-n"], input=step.run, text=True, capture_output=True, timeout=10, check=False
        )
        assert (done.returncode, done.stderr) == (0, "")


def test_the_copy_of_etc_pve_is_old_and_lacks_a_guest(rack: Rack) -> None:
    (case,) = (item for item in CASES if item.name == "copy-old-and-partial")
    (step,) = case.drift.apply
    home = rack.root / "nas1/export/backups/etc-pve/pve1/2026-01-01"
    home.mkdir(parents=True)
    with tarfile.open(home / "etc-pve.tar", "w") as tar:
        tar.add(rack.root / "pve", "etc/pve")
    rack.run(step)
    with tarfile.open(home / "etc-pve.tar") as tar:
        names = {name for name in tar.getnames() if name.endswith(".conf")}
    assert "etc/pve/nodes/pve1/qemu-server/102.conf" in names
    assert "etc/pve/nodes/pve1/qemu-server/110.conf" not in names
    declared = RACK.backups.etc_pve
    assert declared is not None
    age_s = home.stat().st_mtime - home.joinpath("etc-pve.tar").stat().st_mtime
    assert age_s > declared.max_age
