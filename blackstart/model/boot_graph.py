"""The boot graph as data: what waits for what after a cold start, and how that is known.

Three rules say what starts: a part waits for everything it needs; a name, a lease and a
quorum wait for some of several; and what waits for itself never starts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from functools import cached_property

from blackstart.model.observed import Record


class PartKind(StrEnum):
    """What a part is. Those of a subject (``guest/maas``) have its name; see ``subjects``."""

    POWER = "power"
    NODE = "node"
    MOUNT = "mount"
    QUORUM = "quorum"
    BOOT = "boot"
    STORE = "store"
    START = "start"
    GUEST = "guest"
    DHCP = "dhcp"
    LEASE = "lease"
    DNS = "dns"
    NAME = "name"
    COMPOSE = "compose"
    SERVICE = "service"
    OUTSIDE = "outside"


SEEN = (
    *(PartKind.NODE, PartKind.MOUNT, PartKind.GUEST),
    *(PartKind.DNS, PartKind.DHCP, PartKind.COMPOSE, PartKind.SERVICE),
)
"""Kinds that a person would miss; the others only lead there."""


class LinkKind(StrEnum):
    """How one part waits for another.

    ``needs``: waits for it, and is nothing without it. ``after``: waits its turn, whatever
    became of the other (a guest's ``startup`` order). ``wants``: neither waits for it nor
    fails without it (``nofail``).
    """

    NEEDS = "needs"
    AFTER = "after"
    WANTS = "wants"


class Part(Record):
    """One thing that starts. ``id`` is ``KIND/NAME``.

    ``host`` is the machine that carries it, ``None`` for what belongs to the site. ``node``
    starts when its system answers, ``boot`` when it begins to start guests, ``start`` is a
    guest's turn, ``guest`` the guest itself, answering. ``at_least`` is how many of what it
    needs are enough, ``None`` for all. ``never`` is why it does not start by itself,
    ``evidence`` where that is read.
    """

    id: str
    kind: PartKind
    label: str
    host: str | None = None
    guest: str | None = None
    at_least: int | None = None
    never: str | None = None
    evidence: tuple[str, ...] = ()


class Link(Record):
    """``after`` waits for ``before`` and then ``delay_s`` seconds; ``why`` in words.

    ``evidence`` are the file and line, the API path or the inventory's key that say so.
    """

    before: str
    after: str
    kind: LinkKind
    why: str
    evidence: tuple[str, ...]
    delay_s: float = 0.0


class Unknown(Record):
    """What of the graph could not be seen: which part, what, and where that was to be read."""

    part: str
    what: str
    source: str

    def __str__(self) -> str:
        return f"{self.part}: {self.what} ({self.source})"


class BootGraph(Record):
    """Every part of a site and every link between them, and what could not be seen."""

    site: str
    parts: tuple[Part, ...]
    links: tuple[Link, ...]
    unknown: tuple[Unknown, ...] = ()

    @cached_property
    def by_id(self) -> Mapping[str, Part]:
        """Parts by id."""
        return {part.id: part for part in self.parts}

    @cached_property
    def needs(self) -> Mapping[str, tuple[Link, ...]]:
        """What each part needs; nothing for a part that needs nothing."""
        return self._to({LinkKind.NEEDS})

    @cached_property
    def waits(self) -> Mapping[str, tuple[Link, ...]]:
        """What each part waits for, needed or only in its turn."""
        return self._to({LinkKind.NEEDS, LinkKind.AFTER})

    def _to(self, kinds: set[LinkKind]) -> dict[str, tuple[Link, ...]]:
        found: dict[str, list[Link]] = {part.id: [] for part in self.parts}
        for link in self.links:
            if link.kind in kinds:
                found[link.after].append(link)
        return {part: tuple(links) for part, links in found.items()}

    def ready(self, *, gone: Iterable[str] = (), given: Iterable[PartKind] = ()) -> frozenset[str]:
        """Ids of the parts that have all they need when those that are ``gone`` do not start.

        Kinds that are ``given`` start whatever happens.
        """
        lost, granted = frozenset(gone), frozenset(given)
        found: set[str] = set()
        open_parts = [part for part in self.parts if part.id not in lost and part.never is None]
        while True:
            fresh = {
                part.id
                for part in open_parts
                if part.id not in found
                and (part.kind in granted or _enough(part, self.needs[part.id], found))
            }
            if not fresh:
                return frozenset(found)
            found |= fresh

    @cached_property
    def too_early(self) -> Mapping[str, frozenset[str]]:
        """Parts whose turn comes before what they need, each with those that come later.

        Nobody waits for them then, and nobody tries again: their start fails.
        """
        turns: dict[str, list[str]] = {}
        for link in self.links:
            if link.kind is LinkKind.AFTER:
                turns.setdefault(link.before, []).append(link.after)
        whole = self.ready()
        found: dict[str, frozenset[str]] = {}
        for part in turns:
            later = _reached(part, turns)
            if part in whole and part not in self.ready(gone=later):
                found[part] = later
        return found

    def behind(self, part: str) -> frozenset[str]:
        """Ids of everything that a part needs, however far back; and its own."""
        return _reached(
            part, {key: [link.before for link in links] for key, links in self.needs.items()}
        ) | {part}

    def starting(
        self, *, gone: Iterable[str] = (), given: Iterable[PartKind] = ()
    ) -> frozenset[str]:
        """``ready`` without what comes too early, and all that needs it."""
        return self.ready(gone=(*gone, *self.too_early), given=given)


def _reached(part: str, turns: Mapping[str, list[str]]) -> frozenset[str]:
    found: set[str] = set()
    left = [part]
    while left:
        fresh = [other for other in turns.get(left.pop(), []) if other not in found]
        found.update(fresh)
        left += fresh
    return frozenset(found)


def _enough(part: Part, links: tuple[Link, ...], found: set[str]) -> bool:
    """Whether what a part waits for is there: all, or as many as are enough."""
    if part.at_least is None:
        return all(link.before in found for link in links)
    return sum(link.before in found for link in links) >= part.at_least


def instant(part: Part, times: Iterable[float]) -> float:
    """When what a part waits for is there, of the instants (s) at which each of it is.

    0 when it waits for nothing; infinite when not enough of it ever comes.
    """
    ordered = sorted(times)
    if part.at_least is not None:
        if len(ordered) < part.at_least:
            return float("inf")
        ordered = ordered[: part.at_least]
    return ordered[-1] if ordered else 0.0
