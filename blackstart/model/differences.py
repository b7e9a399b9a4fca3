"""What differs between two snapshots of a site, and what of it nobody declared."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Set
from datetime import date
from fnmatch import fnmatchcase

from pydantic import BaseModel, ConfigDict

from blackstart.model.facts import SiteFacts
from blackstart.model.fingerprint import fingerprint
from blackstart.model.inventory import Inventory, Tolerance
from blackstart.model.readings import Klass, Reading
from blackstart.model.subjects import mounts_asked

NOTHING = "absent"
UNREAD = "not read"


class Difference(BaseModel):
    """One fact that is not as it was. ``unread`` when it was readable only once.

    ``tolerated`` is the owner's reason for accepting it, where one is in force.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: str
    before: str
    after: str
    klass: Klass
    unread: bool = False
    tolerated: str | None = None

    def __str__(self) -> str:
        return f"{self.path}: {self.before} -> {self.after}"


def compare(
    before: SiteFacts,
    after: SiteFacts,
    *,
    rebooted: Set[str] = frozenset(),
    filled: Set[str] = frozenset(),
) -> tuple[Difference, ...]:
    """Every difference, volatile ones included, by path.

    ``rebooted`` names the hosts whose new boot id the act declared, ``filled`` those whose
    kernel was to kill for want of memory, and says so. A fact that could be read only once is
    ``converging``, because it may be readable again in a moment.
    """
    was, now = fingerprint(before), fingerprint(after)
    found: list[Difference] = []
    for path in sorted({*was, *now}):
        found += _of(path, was.get(path), now.get(path))
    expected = (
        *(f"hosts/{name}/boot_id" for name in rebooted),
        *(f"hosts/{name}/oom_lines/" for name in filled),
    )
    return tuple(
        item.model_copy(update={"klass": "expected"})
        if item.path.startswith(expected) and not item.unread
        else item
        for item in found
    )


def _of(path: str, was: Reading | None, now: Reading | None) -> Iterator[Difference]:
    known = was or now
    if known is None or (_unread(was) and _unread(now)):
        return
    old, new = was.members if was else None, now.members if now else None
    if old is None or new is None:
        klass: Klass = "volatile" if known.klass == "volatile" else "converging"
        before, after = (UNREAD if old is None else "read"), (UNREAD if new is None else "read")
        yield Difference(path=path, before=before, after=after, klass=klass, unread=True)
        return
    for member in sorted({*old, *new}):
        one, other = old.get(member, NOTHING), new.get(member, NOTHING)
        if one == other or (known.only_new and other == NOTHING):
            continue
        whole = f"{path}/{member}" if member else path
        yield Difference(path=whole, before=one, after=other, klass=known.klass)


def _unread(reading: Reading | None) -> bool:
    return reading is None or reading.members is None


def tolerated(
    found: Iterable[Difference], tolerate: Iterable[Tolerance], today: date
) -> tuple[Difference, ...]:
    """The same differences, each with the reason for which its owner accepts it today.

    A tolerance covers its path (a glob, ``fnmatch``) and everything below it. It ends
    with its date; a fact that was not read is never covered.
    """
    in_force = [item for item in tolerate if today <= item.until]

    def reason(difference: Difference) -> str | None:
        for item in in_force:
            if not difference.unread and _covers(item, difference.path):
                return item.reason
        return None

    return tuple(item.model_copy(update={"tolerated": reason(item)}) for item in found)


def expired(path: str, tolerate: Iterable[Tolerance], today: date) -> Tolerance | None:
    """A tolerance that covered a path until its date went by."""
    gone = (item for item in tolerate if today > item.until and _covers(item, path))
    return next(gone, None)


def _covers(tolerance: Tolerance, path: str) -> bool:
    return fnmatchcase(path, tolerance.path) or fnmatchcase(path, f"{tolerance.path}/*")


def undeclared(
    found: Iterable[Difference], tolerate: Iterable[Tolerance], today: date
) -> tuple[Difference, ...]:
    """The differences that nobody declared: not volatile, not expected, not tolerated."""
    return tuple(
        item
        for item in tolerated(found, tolerate, today)
        if item.klass not in {"volatile", "expected"} and not item.unread and item.tolerated is None
    )


def unread(inventory: Inventory, before: SiteFacts, after: SiteFacts) -> tuple[str, ...]:
    """What could not be compared, and why: facts not read, declared things not looked at."""
    found: list[str] = []
    for when, facts in (("before", before), ("after", after)):
        readings = fingerprint(facts)
        found += (
            f"{path} {when}: {reading.why}"
            for path, reading in readings.items()
            if reading.members is None and reading.klass != "volatile"
        )
        found += (f"{path} {when}: nobody looked" for path in _missing(inventory, facts))
    return tuple(found)


def _missing(inventory: Inventory, facts: SiteFacts) -> Iterator[str]:
    dns = inventory.dns
    asked = [f"{server}/{name}" for server in dns.servers for name in dns.names] if dns else []
    served = inventory.maas.guest if inventory.maas is not None else None
    wanted: tuple[tuple[str, Iterable[str], Iterable[str]], ...] = (
        ("hosts", inventory.nodes, facts.hosts),
        ("guests", inventory.guests, facts.guests),
        ("names", asked, facts.names),
        ("dhcp", [served] if served is not None else [], facts.dhcp),
        ("offers", {server.interface for server in inventory.dhcp.values()}, facts.offers),
        ("compose", inventory.compose, facts.compose),
        ("certificates", inventory.certificates, facts.certificates),
        ("mounts", mounts_asked(inventory), facts.mounts),
    )
    for section, declared, seen in wanted:
        yield from (f"{section}/{name}" for name in sorted({*declared} - {*seen}))
    if facts.cluster is None and any(node.api for node in inventory.nodes.values()):
        yield "cluster"
    if facts.maas is None and inventory.maas is not None:
        yield "maas"
    if inventory.k3s is not None:
        seen_servers = facts.k3s.servers if facts.k3s is not None else {}
        lacking = sorted({*inventory.k3s.servers} - {*seen_servers})
        yield from (f"k3s/servers/{name}" for name in lacking)
