"""A boot graph while it grows: parts are declared once, links more often than once are one."""

from __future__ import annotations

from dataclasses import dataclass, field

from blackstart.graph.inputs import BootInputs
from blackstart.model.boot_graph import BootGraph, Link, LinkKind, Part, PartKind, Unknown


def part_id(kind: PartKind, name: str) -> str:
    """``KIND/NAME``, the same as the subject's name where there is one."""
    return f"{kind}/{name}"


@dataclass
class Growing:
    """Collects parts, links and gaps. ``given`` is what the graph is built from."""

    given: BootInputs
    _parts: dict[str, Part] = field(default_factory=dict)
    _links: dict[tuple[str, str, LinkKind], Link] = field(default_factory=dict)
    _unknown: list[Unknown] = field(default_factory=list)

    def has(self, part: str) -> bool:
        """Whether there is such a part by now."""
        return part in self._parts

    def part(self, part: Part) -> str:
        """Add a part unless it is there already; its id."""
        self._parts.setdefault(part.id, part)
        return part.id

    def link(self, link: Link) -> None:
        """Add a link unless it is there already."""
        self._links.setdefault((link.before, link.after, link.kind), link)

    def needs(self, after: str, before: str, why: str, *evidence: str) -> None:
        """``after`` is nothing without ``before``."""
        kind = LinkKind.NEEDS
        self.link(Link(before=before, after=after, kind=kind, why=why, evidence=evidence))

    def unknown(self, part: str, what: str, source: str) -> None:
        """Something about a part could not be seen."""
        self._unknown.append(Unknown(part=part, what=what, source=source))

    def outside(self, name: str) -> str:
        """What the inventory does not declare and somebody waits for: taken for granted."""
        kind = PartKind.OUTSIDE
        return self.part(Part(id=part_id(kind, name), kind=kind, label=name))

    def at_address(self, address: str) -> tuple[str, str | None]:
        """The machine or guest at an address, and the inventory's key that says so."""
        for kind, declared in (
            (PartKind.NODE, self.given.inventory.nodes),
            (PartKind.GUEST, self.given.inventory.guests),
        ):
            for name, item in declared.items():
                if str(item.address) == address:
                    return part_id(kind, name), f"inventory: {kind}s.{name}.address {address}"
        return self.outside(address), None

    def whole(self) -> BootGraph:
        """The graph. Who waits for a guest that is meant to be off waits in vain."""
        needed = {end for link in self._links.values() for end in (link.before, link.after)}
        for name in self.given.inventory.guests:
            guest = part_id(PartKind.GUEST, name)
            if guest in needed - self._parts.keys():
                self.part(
                    Part(
                        id=guest,
                        kind=PartKind.GUEST,
                        label=name,
                        host=self.given.inventory.guests[name].node,
                        guest=name,
                        never="it is meant to be off",
                        evidence=(f"inventory: guests.{name}.running",),
                    )
                )
        return BootGraph(
            site=self.given.inventory.site,
            parts=tuple(self._parts.values()),
            links=tuple(self._links.values()),
            unknown=tuple(dict.fromkeys(self._unknown)),
        )
