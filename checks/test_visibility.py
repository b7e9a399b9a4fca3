"""Is every machine looked at, and is it the one that is meant?"""

from __future__ import annotations

import pytest

from blackstart.checking import expect, known
from blackstart.errors import Unproven
from blackstart.model.facts import SiteFacts

pytestmark = pytest.mark.check


@pytest.mark.claim(severity="critical", breaks="visibility")
def test_machine_shows_itself(machine: str, facts: SiteFacts) -> None:
    """What only a machine knows (mounts, units, kernel) is read there, and on no other instead."""
    if machine not in facts.hosts:
        raise Unproven(f"nobody looked at {machine}")
    own = facts.hosts[machine].boot_id
    boot_id = known(own)
    same = tuple(
        name
        for name, host in facts.hosts.items()
        if name != machine and host.boot_id.value == boot_id
    )
    expect(
        not same,
        f"{machine} and {', '.join(same)} are one and the same machine: same boot id",
        evidence=own.source,
        fix=f"correct the address of nodes.{machine} in the inventory, or of the other",
        touches=same,
    )
