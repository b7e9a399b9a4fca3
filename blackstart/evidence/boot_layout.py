"""Where everything of the boot graph's picture is: a lane a machine, a column a stage.

All lengths are inches from the top left. A guest and what it serves are side by side, guests in
the order of their starts from the top, so that lines hardly cross.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from blackstart.graph.cycles import Cycle
from blackstart.graph.outlook import Outlook
from blackstart.model.boot_graph import BootGraph, LinkKind, Part, PartKind

WIDTHS = (0.75, 1.05, 1.95, 2.0, 2.35, 1.9, 1.75)
HEADS = ("power", "machine", "mounts", "boot, stores", "guests in turn", "what they serve", "names")
GAP, MARGIN, TOP, BOTTOM = 0.58, 0.3, 1.0, 0.95
ROW, BOX, LANE_HEAD, CYCLE_HEAD = 0.3, 0.235, 0.3, 0.62
SERVED = frozenset({PartKind.DNS, PartKind.DHCP, PartKind.COMPOSE, PartKind.SERVICE})
NOT_DRAWN = frozenset({PartKind.QUORUM, PartKind.LEASE})
"""What all guests wait for is written into boxes: as lines it would hide everything else."""
ELSEWHERE = "outside the inventory"


def left_of(column: int) -> float:
    """Where a column begins."""
    return MARGIN + sum(WIDTHS[:column]) + GAP * column


@dataclass(frozen=True, slots=True)
class Box:
    """A part's place: its column, the middle of its height, the lane that it lies in."""

    part: Part
    column: int
    middle: float
    lane: str

    @property
    def left(self) -> float:
        """Its left edge."""
        return left_of(self.column)

    @property
    def right(self) -> float:
        """Its right edge."""
        return self.left + WIDTHS[self.column]


@dataclass(frozen=True, slots=True)
class Lane:
    """A machine's strip of the picture; ``cycles`` begin in it and are told above its boxes."""

    name: str
    top: float
    bottom: float
    cycles: tuple[Cycle, ...]


@dataclass
class Layout:
    """Boxes by part, lanes from the top, and the height of it all."""

    boxes: dict[str, Box] = field(default_factory=dict)
    lanes: list[Lane] = field(default_factory=list)
    height: float = 0.0

    @property
    def columns(self) -> int:
        """How many there are; the last ones are left out when they are empty."""
        return max((box.column for box in self.boxes.values()), default=0) + 1

    @property
    def width(self) -> float:
        """Width of it all."""
        return left_of(self.columns) + MARGIN


def drawn_as(graph: BootGraph, part: str) -> str | None:
    """The box that stands for a part: a guest and its start are one. ``None`` for none."""
    found = graph.by_id[part]
    if found.kind is PartKind.START:
        return f"{PartKind.GUEST}/{found.guest}"
    if found.kind in NOT_DRAWN or is_local_store(graph, found):
        return None
    return part


def is_local_store(graph: BootGraph, part: Part) -> bool:
    """Whether a store is nothing but a disk of its machine."""
    return part.kind is PartKind.STORE and len(graph.needs[part.id]) == 1


def turns(graph: BootGraph) -> tuple[str, ...]:
    """Ids of guests in the order of their starts, host by host."""
    later = {link.before: link.after for link in graph.links if link.kind is LinkKind.AFTER}
    starts = [part.id for part in graph.parts if part.kind is PartKind.START]
    found: list[str] = []
    for start in starts:
        if start in later.values():
            continue
        turn: str | None = start
        while turn is not None:
            found.append(turn)
            turn = later.get(turn)
    return tuple(f"{PartKind.GUEST}/{turn.partition('/')[2]}" for turn in found)


def layout(told: Outlook) -> Layout:
    """Place everything."""
    graph = told.graph
    found = Layout()
    order = {guest: place for place, guest in enumerate(turns(graph))}
    parts = [
        part
        for part in graph.parts
        if part.kind is not PartKind.POWER and drawn_as(graph, part.id) == part.id
    ]
    hosts = list(dict.fromkeys(part.host or ELSEWHERE for part in parts))
    hosts.sort(key=lambda host: host == ELSEWHERE)
    y = TOP
    for host in hosts:
        own = [part for part in parts if (part.host or ELSEWHERE) == host]
        own.sort(key=lambda part: order.get(part.id, len(order)))
        cycles = tuple(x for x in told.cycles if graph.by_id[x.parts[0]].host == host)
        begins = y + LANE_HEAD + CYCLE_HEAD * len(cycles)
        rows = _place(found, own, host, begins)
        bottom = begins + rows * ROW + 0.1
        found.lanes.append(Lane(host, y, bottom, cycles))
        y = bottom + 0.12
    found.height = y + BOTTOM
    _power(found, graph, y)
    return found


def _power(found: Layout, graph: BootGraph, bottom: float) -> None:
    for part in graph.parts:
        if part.kind is PartKind.POWER:
            found.boxes[part.id] = Box(part, 0, (TOP + bottom) / 2, "")


def _place(found: Layout, parts: Sequence[Part], lane: str, top: float) -> int:
    """Place a lane's boxes below ``top``; how many rows they take."""
    guests = _bands(parts)
    columns: dict[int, list[Part]] = {1: [], 2: [], 3: [], 5: [], 6: []}
    for part in parts:
        column = _column(part)
        if column in columns and (part.guest is None or column == 6):
            columns[column].append(part)
    beside = 1 + max(len(columns[2]), len(columns[3]) - 1)
    rows = max(
        *(sum(height for _, height in guests), beside),
        *(len(columns[1]), len(columns[5]), len(columns[6])),
    )
    row = 0
    for band, height in guests:
        for place, part in enumerate(band):
            at = row if place == 0 else row + place - 1
            found.boxes[part.id] = Box(part, _column(part), _middle(top, at), lane)
        row += height
    middle = (rows - beside) // 2
    for column in (1, 3, 5, 6):
        for place, part in enumerate(columns[column]):
            found.boxes[part.id] = Box(part, column, _middle(top, middle + place), lane)
    for place, part in enumerate(columns[2], 1):
        found.boxes[part.id] = Box(part, 2, _middle(top, middle + place), lane)
    return rows


def _middle(top: float, row: int) -> float:
    return top + (row + 0.5) * ROW


def _bands(parts: Sequence[Part]) -> list[tuple[list[Part], int]]:
    """Each guest with what it serves, and how many rows that takes."""
    found: list[tuple[list[Part], int]] = []
    for guest in parts:
        if guest.kind is PartKind.GUEST:
            served = [x for x in parts if x.guest == guest.guest and _column(x) == 5]
            found.append(([guest, *served], max(1, len(served))))
    return found


def _column(part: Part) -> int:
    if part.kind in SERVED or (part.kind is PartKind.MOUNT and part.guest is not None):
        return 5
    return {
        PartKind.NODE: 1,
        PartKind.OUTSIDE: 1,
        PartKind.MOUNT: 2,
        PartKind.BOOT: 3,
        PartKind.STORE: 3,
        PartKind.GUEST: 4,
        PartKind.NAME: 6,
    }[part.kind]
