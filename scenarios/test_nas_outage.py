"""A NAS goes away under its clients: do they hang without harm, and find it again?

The household's programs wait; they must not fail, and nothing that looks at the site may
wait with them. Every host and guest runs on: only what is mounted from the NAS falls.
"""

from __future__ import annotations

import pytest

from blackstart.drill import Drill
from blackstart.faults.base import Plan
from blackstart.faults.nas import nas_block, nas_stale, nas_stop
from blackstart.invariants import everything_well

AWAY_S = 20
"""Longer than a hiccup, shorter than anybody's patience."""
SNAPSHOT_S = 60
"""The bound of a snapshot of the site, dead mounts or not."""


def nobody_hangs(drill: Drill, plan: Plan) -> None:
    """The site can be looked at while the NAS is away, and shows that it is."""
    if drill.terms.plan_only:
        return
    clock = drill.site.clock
    began = clock.monotonic()
    facts = drill.site.facts()
    took_s = clock.monotonic() - began
    assert took_s < SNAPSHOT_S, f"with {plan.target} away a look at the site took {took_s:.0f} s"
    for full_name in plan.blast_radius:
        kind, _, name = full_name.partition("/")
        if kind == "mount":
            seen = facts.mounts[name]
            assert seen.value, f"{full_name} was not seen: {seen.error or 'nothing is mounted'}"
            assert not any(mount.answers for mount in seen.value), f"{full_name} answers"


@pytest.mark.drill(fault="nas-stop", budget="8m")
def test_nas_stops(drill: Drill, node: str) -> None:
    """The NFS server is stopped and started: its clients hang, and go on by themselves."""
    with drill.fault(nas_stop(node)) as plan:
        drill.hold(AWAY_S)
        nobody_hangs(drill, plan)
        drill.recovers(*everything_well(drill.inventory))


@pytest.mark.drill(fault="nas-block", budget="8m")
def test_nas_is_cut_off(drill: Drill, node: str) -> None:
    """Packets to the NFS server vanish, as behind a broken switch: no client gives up."""
    with drill.fault(nas_block(node)) as plan:
        drill.hold(AWAY_S)
        nobody_hangs(drill, plan)
        drill.recovers(*everything_well(drill.inventory))


@pytest.mark.drill(fault="nas-stale", budget="8m")
def test_nas_handles_go_stale(drill: Drill, node: str) -> None:
    """The server runs and no longer exports: stale handles become good again by themselves."""
    with drill.fault(nas_stale(node)) as plan:
        drill.hold(AWAY_S)
        nobody_hangs(drill, plan)
        drill.recovers(*everything_well(drill.inventory))
