"""Does anything wait for itself after a power loss? Seen in the boot graph (docs/boot-graph.md)."""

from __future__ import annotations

import pytest

from blackstart.checking import expect
from blackstart.checking_graph import all_seen
from blackstart.graph.cycles import Cycle, cycles
from blackstart.model.boot_graph import BootGraph, PartKind
from blackstart.model.inventory import Inventory

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
    all_seen(boot_graph, boot_graph.behind(boot))


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
    all_seen(boot_graph, needed.difference(*(boot_graph.behind(boot) for boot in boots)))


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


def _is_boot(part: str) -> bool:
    return part.startswith(f"{PartKind.BOOT}/")
