"""What every machine and guest of the rack is like (``fingerprint.sh``), and what differs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from blackstart.rack.topology import PVE, Machine
from tests.rack.command import on

TEXT = Path(__file__).with_name("fingerprint.sh").read_text("utf-8")
BOUND_S = 300.0
AGED_S = 30
"""Processes that are younger come and go."""
EVERYWHERE = frozenset({"etc", "boot", "mount", "address", "unit", "enabled", "start", "process"})
HYPERVISOR = frozenset({"pve", "guest", "kept", "task"})
ALSO = {
    **{"pve1": HYPERVISOR, "pve2": HYPERVISOR, "nas1": frozenset({"export", "kept"})},
    **{"maas": frozenset({"maas"}), "dns2": frozenset({"zone"}), "app1": frozenset({"kept"})},
    "docker1": frozenset({"container", "network", "kept"}),
}
"""Kinds of line that each has at least; one that is missing was not read."""

Lines = tuple[str, ...]


def fingerprint(name: str, *, aged_s: int = AGED_S) -> Lines:
    """One machine or guest; raises ``AssertionError`` when a part of it was not read."""
    lines = tuple(on(name, f"AGED={aged_s}\n{TEXT}", timeout=BOUND_S).splitlines())
    lacking = (EVERYWHERE | ALSO.get(name, frozenset())) - {
        line.partition(" ")[0] for line in lines
    }
    assert not lacking, f"{name}: {', '.join(sorted(lacking))} not read"
    return lines


def fingerprints() -> Mapping[str, Lines]:
    """All machines side by side, and each one's guests after it."""
    with ThreadPoolExecutor(len(PVE.machines)) as pool:
        found = pool.map(_of_machine, PVE.machines)
        return {name: lines for each in found for name, lines in each.items()}


def _of_machine(machine: Machine) -> Mapping[str, Lines]:
    names = (machine.name, *(guest.name for guest in PVE.guests_of(machine.name)))
    return {name: fingerprint(name) for name in names}


def difference(before: Iterable[str], after: Iterable[str]) -> list[str]:
    """Lines that are gone (``-``) and new ones (``+``)."""
    old, new = Counter(before), Counter(after)
    gone = [f"- {line}" for line in sorted((old - new).elements())]
    return gone + [f"+ {line}" for line in sorted((new - old).elements())]


def kinds(changed: Iterable[str]) -> set[str]:
    """Of what kind they are."""
    return {line.split(" ", 2)[1] for line in changed}
