"""Does anything wait for itself after a power loss? Seen in the boot graph (docs/boot-graph.md)."""

from __future__ import annotations

import pytest

from blackstart.checking import expect
from blackstart.errors import Unproven
from blackstart.graph.cycles import Cycle, cycles
from blackstart.graph.failures import shared
from blackstart.model.boot_graph import BootGraph, PartKind
from blackstart.model.inventory import Inventory
from blackstart.model.redundancy import groups

pytestmark = pytest.mark.check

MOUNTS = "2026-04-13-nas-mounts-after-power-loss"


@pytest.mark.claim(severity="critical", breaks="boot", incident=MOUNTS)
def test_boot_does_not_wait_for_itself(
    machine: str, boot_graph: BootGraph, inventory: Inventory
) -> None:
    """No mount that a hypervisor's boot waits for needs a guest of this hypervisor."""
    if inventory.nodes[machine].role != "hypervisor":
        pytest.skip(f"{machine} starts no guests (inventory: nodes.{machine}.role)")
    boot = f"{PartKind.BOOT}/{machine}"
    found = [cycle for cycle in cycles(boot_graph) if boot in cycle.parts]
    _none(found, f"the boot of {machine} waits for itself", boot_graph)
    _all_seen(boot_graph, boot_graph.behind(boot))


@pytest.mark.claim(severity="critical", breaks="boot", incident=MOUNTS)
def test_guest_start_does_not_wait_for_itself(guest: str, boot_graph: BootGraph) -> None:
    """No store of a guest needs this guest, or one whose turn to start comes later."""
    start = f"{PartKind.START}/{guest}"
    found = [
        cycle
        for cycle in cycles(boot_graph)
        if start in cycle.parts and not any(_is_boot(part) for part in cycle.parts)
    ]
    _none(found, f"{guest} needs what starts after it", boot_graph)
    needed = boot_graph.behind(start)
    boots = [part for part in needed if _is_boot(part)]
    _all_seen(boot_graph, needed.difference(*(boot_graph.behind(boot) for boot in boots)))


@pytest.mark.claim(severity="warning", breaks="redundancy", incident=MOUNTS)
def test_nothing_behind_a_group_takes_all_of_it(
    redundancy_group: str, boot_graph: BootGraph, inventory: Inventory
) -> None:
    """Guests that stand in for each other share no NAS, no name server, nothing they rest on."""
    group = groups(inventory)[redundancy_group]
    (found,) = shared(boot_graph, {redundancy_group: group})
    own = {
        f"{PartKind.NODE}/{part.host}"
        for part in boot_graph.parts
        if part.kind is PartKind.GUEST and part.guest in group.members
    }  # that all are on one host is told by test_redundancy.py
    behind = [item for item in found.domains if item.part not in own]
    expect(
        not behind,
        "; ".join(
            f"without {item.part} {redundancy_group} loses {', '.join(item.takes)}"
            for item in behind
        ),
        evidence=tuple(dict.fromkeys(_lines(boot_graph, [item.part for item in behind]))),
        fix="let one of them rest on something else: another store, another server",
        touches=(*group.members, *(item.part.partition("/")[2] for item in behind)),
    )
    if not found.starts:
        raise Unproven(f"too few of {', '.join(group.members)} would start at all")
    _all_seen(boot_graph, frozenset().union(*(boot_graph.behind(it) for it in found.members)))


def _none(found: list[Cycle], problem: str, graph: BootGraph) -> None:
    parts = [graph.by_id[part] for cycle in found for part in cycle.parts]
    names = {name for part in parts for name in (part.host, part.guest) if name}
    expect(
        not found,
        "; ".join([problem, *(" > ".join((*cycle.parts, cycle.parts[0])) for cycle in found)]),
        evidence=tuple(dict.fromkeys(line for cycle in found for line in cycle.evidence)),
        fix="; ".join(dict.fromkeys(cycle.fix for cycle in found)),
        touches=tuple(sorted(names)),
    )


def _all_seen(graph: BootGraph, parts: frozenset[str]) -> None:
    """Raises ``Unproven`` when something about these parts could not be seen."""
    gaps = [str(gap) for gap in graph.unknown if gap.part in parts]
    if gaps:
        raise Unproven("; ".join(gaps))


def _lines(graph: BootGraph, parts: list[str]) -> list[str]:
    """What says that others need these parts."""
    return [line for link in graph.links if link.before in parts for line in link.evidence]


def _is_boot(part: str) -> bool:
    return part.startswith(f"{PartKind.BOOT}/")
