"""MAAS imports its boot images: has its hypervisor the memory for that?

An owner's had not. The kernel killed the whole guest, and with it DHCP for everybody; started
again by hand it looked as if nothing had been.
"""

from __future__ import annotations

import pytest

from blackstart.drill import Drill
from blackstart.faults.image_sync import ImportEnd, sync_images
from blackstart.faults.pressed_sync import sync_images_pressed
from blackstart.invariants import everything_well, nobody_killed

IMPORT_S = 600.0
"""An import that takes longer is ended; MAAS goes on where it was at the next one."""


@pytest.mark.drill(fault="image-sync", serving="maas", budget="18m")
def test_image_sync(drill: Drill, willing_guest: str) -> None:
    """Nobody is killed for want of memory while MAAS imports, and DHCP goes on."""
    with drill.fault(sync_images(willing_guest)) as plan:
        drill.recovers(*everything_well(drill.inventory), nobody_killed())
        drill.hold_until(ImportEnd(drill.site, plan), IMPORT_S)


@pytest.mark.drill(fault="image-sync", serving="maas", budget="18m")
def test_image_sync_under_pressure(drill: Drill, willing_guest: str) -> None:
    """The same with three quarters of its hypervisor's memory in use, as when all guests are busy.

    Not more: a hypervisor at nine tenths and without swap killed nobody and heard nobody, for
    minutes; its dead-man undid the fault, and nothing was proven.
    """
    with drill.fault(sync_images_pressed(willing_guest, "75%")) as plan:
        drill.recovers(*everything_well(drill.inventory), nobody_killed())
        drill.hold_until(ImportEnd(drill.site, plan), IMPORT_S)
