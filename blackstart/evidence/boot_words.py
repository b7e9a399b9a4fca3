"""How parts of a boot graph and times are called, in terminal and picture alike."""

from __future__ import annotations

from blackstart.graph.cycles import Cycle
from blackstart.model.boot_graph import Part, PartKind
from blackstart.model.boot_schedule import Expected
from blackstart.model.quantities import format_duration

_TITLES = {
    PartKind.POWER: "power",
    PartKind.NODE: "{label}",
    PartKind.MOUNT: "{label} on {on}",
    PartKind.QUORUM: "{label}",
    PartKind.BOOT: "{on} {label}",
    PartKind.STORE: "store {label} on {on}",
    PartKind.START: "start of {label}",
    PartKind.NAME: "name {label}",
    PartKind.LEASE: "{label}",
    PartKind.OUTSIDE: "{label} (outside)",
}


def title(part: Part) -> str:
    """A part in words: ``/mnt/nas on pve1``, ``start of maas``, ``dns/maas``."""
    words = _TITLES.get(part.kind, "{kind}/{label}")
    on = part.guest if part.kind is PartKind.MOUNT and part.guest else part.host
    return words.format(kind=part.kind, label=part.label, on=on)


def by_when(item: Expected) -> str:
    """``≤ 80s`` as measured, ``≥ 30s`` where not all of it was; empty when nothing is known."""
    if item.at_s == 0:
        return ""
    return f"{'≥' if item.lower_bound else '≤'} {format_duration(item.at_s)}"


def kind_of(cycle: Cycle) -> str:
    """What a cycle does, in a word or two."""
    return "waits for itself" if cycle.deadlock else "starts too early"
