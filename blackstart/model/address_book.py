"""The address book: what each source says of the address of each guest, side by side.

One row for every declared guest that is meant to run. In the outage of July 2025 the
hypervisor said DHCP, MAAS had no reservation, the DHCP server a dynamic host entry, the
certificate the old address, and nobody looked at all of them at once.
"""

from __future__ import annotations

from datetime import date
from typing import Literal

from blackstart.model.dhcp_facts import AddressRange
from blackstart.model.guest_network import Configured
from blackstart.model.observed import Record

Column = Literal[
    "configured", "reserved", "host entry", "leased", "seen", "DNS", "reverse", "certificate"
]
Topic = Literal["ranges", "holders", "served"]
DYNAMIC = "dynamic"
"""The note of a host entry that is in the lease file alone."""
COLUMNS: tuple[Column, ...] = (
    *("configured", "reserved", "host entry"),
    *("leased", "seen", "DNS", "reverse", "certificate"),
)


class Cell(Record):
    """What one source says of one guest: addresses, in ``reverse`` names.

    ``agrees`` is whether that is what the inventory declares, ``None`` when it says nothing
    about it. ``note`` tells sources of one column apart (``reservedip``, ``dynamic``).
    With an ``error`` nothing was said.
    """

    column: Column
    says: tuple[str, ...] = ()
    agrees: bool | None = None
    note: str = ""
    source: str
    error: str | None = None


class Row(Record):
    """One guest. ``configured`` is ``None`` when its configuration was not read."""

    guest: str
    mac: str
    declared: str
    configured: Configured | None
    cells: tuple[Cell, ...]

    def of(self, column: Column) -> tuple[Cell, ...]:
        """The cells of one column."""
        return tuple(cell for cell in self.cells if cell.column == column)


class SourcedRange(Record):
    """A dynamic range and who says so."""

    range: AddressRange
    source: str


class Holder(Record):
    """A record that belongs to no declared guest. ``who``: its MAC, or the name."""

    kind: Literal["reservation", "host entry", "lease", "DNS record"]
    address: str
    who: str
    source: str


class Served(Record):
    """A network with DHCP, and its servers; one alone is a single point of failure."""

    network: str
    servers: tuple[str, ...]
    source: str


class Acceptance(Record):
    """The owner's leave for DHCP from one server: why, until when, and whether it is over."""

    reason: str
    until: date
    over: bool


class Book(Record):
    """All rows, and what concerns the site and no guest alone.

    ``maas`` is whether the inventory declares one: without it nobody knows who gives addresses.
    ``others`` are declared addresses that are no guest's, by address, and what has them.
    ``unread`` says by topic what of ``ranges``, ``holders`` and ``served`` could not be read, and
    why. ``one_server`` is the owner's leave for one server alone.
    """

    site: str
    maas: bool
    rows: tuple[Row, ...]
    others: dict[str, str]
    ranges: tuple[SourcedRange, ...]
    holders: tuple[Holder, ...]
    served: tuple[Served, ...]
    unread: dict[Topic, tuple[str, ...]]
    one_server: Acceptance | None = None
