"""An import while memory is short: filled first, seen filled, and undone before anybody starts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from blackstart.errors import Rejected
from blackstart.faults.base import Plan
from blackstart.faults.known import reverter_of
from blackstart.faults.pressed_sync import sync_images_pressed
from blackstart.model.deadman import DeadMan
from blackstart.model.undo import EndOwnUnit, StartGuest, Unmount

from .test_image_sync import Bench, bench
from .test_memory import MEMINFO

SHORT = MEMINFO.replace("2097152", str(500 * 1024))
FAULT = sync_images_pressed("dns1", "90%")


def planned() -> tuple[Bench, Plan]:
    one = bench(300)
    one.shell.rules |= {"MemTotal": MEMINFO, "mount -t tmpfs": 0, "mountpoint -q": 0}
    plan = replace(FAULT.plan(one.site), deadman=DeadMan("one", "a1", 90))
    one.site.deadmen.arm(DeadMan("one", "a1", 90), plan.undo)
    one.shell.asked.clear()
    one.images.asked.clear()
    return one, plan


def test_both_machines_consent_and_memory_is_free_before_anybody_is_started() -> None:
    _, plan = planned()
    assert plan.consents == ("dns1", "a1")
    assert plan.undo == (
        EndOwnUnit(unit="blackstart-fill-memory.service"),
        Unmount(path="/run/blackstart/memory"),
        StartGuest(vmid=101, tool="qm"),
        StartGuest(vmid=102, tool="qm"),
    )
    assert plan.parameters["changes"][0]["mib"] == round(0.9 * 4096) - 2048
    assert plan.blast_radius == ("a1", "dns1", "box")


def test_the_import_begins_once_memory_is_short() -> None:
    one, plan = planned()
    one.shell.rules["MemTotal"] = SHORT
    FAULT.inject(one.site, plan)
    assert "mount -t tmpfs" in one.shell.asked[0][1]
    assert one.images.asked == ["start"]


def test_without_that_it_does_not_begin() -> None:
    one, plan = planned()
    with pytest.raises(Rejected, match="memory is not short, so no import was begun"):
        FAULT.inject(one.site, plan)
    assert one.images.asked == []


def test_what_is_in_use_already_refuses() -> None:
    one, _ = planned()
    one.shell.rules["MemTotal"] = SHORT
    with pytest.raises(Rejected, match="are in use already, 50% or more"):
        sync_images_pressed("dns1", "50%").plan(one.site)


def test_another_process_can_undo_it() -> None:
    one, plan = planned()
    one.shell.rules |= {"systemctl --quiet stop": 0, "mountpoint -q": 0}
    reverter_of(plan).revert(one.site, plan)
    ran = [line for _, line in one.shell.asked]
    assert "blackstart-fill-memory.service" in ran[0]
    assert "umount /run/blackstart/memory" in ran[1]
    assert "qm start 101" in ran[2]
