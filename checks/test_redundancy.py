"""Do guests that stand in for each other share what can be lost at once (docs/boot-graph.md)?"""

from __future__ import annotations

import pytest

from blackstart.checking import expect
from blackstart.checking_graph import all_seen
from blackstart.errors import Unproven
from blackstart.graph.failures import shared
from blackstart.model.boot_graph import BootGraph
from blackstart.model.inventory import Inventory
from blackstart.model.redundancy import Group, groups

pytestmark = pytest.mark.check


@pytest.mark.claim(
    severity="warning", breaks="redundancy", incident="2026-04-13-nas-mounts-after-power-loss"
)
def test_group_survives_any_one_loss(
    redundancy_group: str, boot_graph: BootGraph, inventory: Inventory
) -> None:
    """Guests that stand in for each other share no host, no store, no NAS, no name server."""
    group = _guests_only(redundancy_group, inventory)
    (found,) = shared(boot_graph, {redundancy_group: group})
    lines = [
        line
        for item in found.domains
        for link in boot_graph.links
        if link.before == item.part
        for line in link.evidence
    ]
    expect(
        not found.domains,
        f"{redundancy_group} needs {group.needed} of {len(group.members)}; "
        + "; ".join(
            f"without {item.part} it loses {', '.join(item.takes)}" for item in found.domains
        ),
        evidence=tuple(dict.fromkeys(lines)),
        fix="let one of them rest on something else: another node (qm migrate, pct migrate), "
        "another store (qm disk move, pct move-volume), another server",
        touches=(*group.members, *(item.part.partition("/")[2] for item in found.domains)),
    )
    if not found.starts:
        raise Unproven(f"too few of {', '.join(group.members)} would start at all")
    all_seen(boot_graph, frozenset().union(*(boot_graph.behind(it) for it in found.members)))


def _guests_only(name: str, inventory: Inventory) -> Group:
    """The group. Raises ``Unproven`` for a member of which nobody knows where it is."""
    group = groups(inventory)[name]
    strangers = [member for member in group.members if member not in inventory.guests]
    if strangers:
        raise Unproven(
            f"where {', '.join(strangers)} of {name} runs is not known: name its guest instead"
        )
    return group
