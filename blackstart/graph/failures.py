"""What takes down what: single points of failure, and what pairs have in common.

Not dominators of a flow graph: those hold where any one way suffices, and here most parts
need all they need and a few need some of several. So each part is taken away in turn.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from blackstart.model.boot_graph import SEEN, BootGraph, PartKind
from blackstart.model.observed import Record
from blackstart.model.redundancy import Group
from blackstart.model.subjects import subject

_CAN_FAIL = (
    *(PartKind.NODE, PartKind.MOUNT, PartKind.STORE, PartKind.GUEST),
    *(PartKind.DHCP, PartKind.DNS, PartKind.NAME, PartKind.OUTSIDE),
)
_RUNNING = (PartKind.POWER, PartKind.LEASE, PartKind.QUORUM)
_SHARED = (PartKind.NODE, PartKind.MOUNT, PartKind.STORE, PartKind.GUEST, PartKind.OUTSIDE)


class Failure(Record):
    """One part that does not come back, and what does not come back because of it.

    ``groups`` are the names of those of which not enough would be left.
    """

    part: str
    takes: tuple[str, ...]
    groups: tuple[str, ...] = ()


class Shared(Record):
    """What a group has in common: each of the ``domains`` alone leaves fewer than ``needed``.

    ``starts`` is whether enough of its ``members`` start at all.
    """

    name: str
    members: tuple[str, ...]
    needed: int
    starts: bool
    domains: tuple[Failure, ...]


def failures(graph: BootGraph, groups: Mapping[str, Group]) -> tuple[Failure, ...]:
    """Every part that takes others along at a cold start, most of them first.

    Not guests that take only what they serve, nor what shares its fate with the one thing
    that it needs, such as a disk with its machine.
    """
    whole = graph.starting()
    found: list[Failure] = []
    for part in graph.parts:
        if part.kind not in _CAN_FAIL or part.id not in whole:
            continue
        left = graph.starting(gone=(part.id,))
        takes = tuple(
            other.id
            for other in graph.parts
            if other.kind in SEEN and other.id in whole - left and other.id != part.id
        )
        lost = tuple(name for name, group in groups.items() if not _stands(group, left))
        if any(graph.by_id[other].guest != (part.guest or part.id) for other in takes):
            found.append(Failure(part=part.id, takes=takes, groups=lost))
    fails = {item.part for item in found}
    own = [item for item in found if not _one_of(graph, item.part, fails)]
    return tuple(sorted(own, key=lambda item: -len(item.takes)))


def _one_of(graph: BootGraph, part: str, fails: set[str]) -> bool:
    """Whether a part needs one thing alone, which is among those that fail."""
    needs = graph.needs[part]
    return len(needs) == 1 and needs[0].before in fails


def shared(graph: BootGraph, groups: Mapping[str, Group]) -> tuple[Shared, ...]:
    """What each group has in common while everything runs.

    Power, which all have in common, is left aside, and so are leases: a guest that runs
    keeps its address for a while when the DHCP server is gone.
    """
    whole = graph.starting(given=_RUNNING)
    return tuple(
        Shared(
            name=name,
            members=_parts(group),
            needed=group.needed,
            starts=_stands(group, whole),
            domains=tuple(_domains(graph, name, group, whole)) if _stands(group, whole) else (),
        )
        for name, group in groups.items()
    )


def _domains(graph: BootGraph, name: str, group: Group, whole: frozenset[str]) -> Iterator[Failure]:
    """Each thing once: not what goes with another one of them, as a store does with its host."""
    left = {
        part.id: remaining
        for part in graph.parts
        if part.kind in _SHARED and part.id in whole
        for remaining in [graph.starting(gone=(part.id,), given=_RUNNING)]
        if not _stands(group, remaining)
    }
    for part, remaining in left.items():
        if not any(part not in rest and other in remaining for other, rest in left.items()):
            takes = tuple(member for member in _parts(group) if member not in remaining)
            yield Failure(part=part, takes=takes, groups=(name,))


def _parts(group: Group) -> tuple[str, ...]:
    return tuple(subject("guest", member) for member in group.members)


def _stands(group: Group, ready: frozenset[str]) -> bool:
    return sum(member in ready for member in _parts(group)) >= group.needed
