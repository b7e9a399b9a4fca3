"""What is wrong in an address book: each finding names its sources, and what puts it right."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Literal

from blackstart.model.address_book import DYNAMIC, Book, Cell, Row, Topic
from blackstart.model.observed import Record
from blackstart.model.verdict import Verdict

FindingKind = Literal["disagrees", "moves", "in a range", "orphan", "one server"]


class Finding(Record):
    """One thing that is wrong with the address of a guest, or of the site."""

    kind: FindingKind
    subject: str
    text: str
    fix: str = ""

    def __str__(self) -> str:
        return f"{self.text}; {self.fix}" if self.fix else self.text


class Waived(Record):
    """A finding that the owner accepts until a date, and why: told, and no failure."""

    kind: FindingKind
    subject: str
    text: str
    fix: str
    reason: str
    until: date

    def __str__(self) -> str:
        return f"{self.text}; accepted until {self.until}: {self.reason}"


class Gap(Record):
    """What could not be judged, and why: of this kind nothing is known of the subject."""

    kind: FindingKind
    subject: str
    text: str


class Judged(Record):
    """Everything that an address book shows to be wrong, and all that it cannot show.

    ``waived`` is wrong too, and accepted by the owner: it decides nothing.
    """

    findings: tuple[Finding, ...]
    gaps: tuple[Gap, ...]
    waived: tuple[Waived, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """Fail with any finding, unproven with any gap."""
        if self.findings:
            return Verdict.FAIL
        return Verdict.UNPROVEN if self.gaps else Verdict.PASS


def findings(book: Book) -> Judged:
    """Judge a book. A book without rows is a gap: no guest is no proof."""
    found: list[Finding | Gap | Waived] = []
    for row in book.rows:
        found += [*_disagreements(row), *_moves(book, row), *_in_a_range(book, row)]
    if not book.rows:
        text = "the inventory declares no guest that is meant to run"
        found.append(Gap(kind="disagrees", subject=book.site, text=text))
    found += [*_others_in_a_range(book), *_orphans(book), *_alone(book)]
    return Judged(
        findings=tuple(item for item in found if isinstance(item, Finding)),
        gaps=tuple(item for item in found if isinstance(item, Gap)),
        waived=tuple(item for item in found if isinstance(item, Waived)),
    )


def _said(cell: Cell) -> str:
    note = f" ({cell.note})" if cell.note else ""
    return f"{cell.column}{note}"


def _gap(kind: FindingKind, row: Row, cell: Cell) -> Gap:
    text = f"{row.guest}: {_said(cell)} not known: {cell.error} ({cell.source})"
    return Gap(kind=kind, subject=row.guest, text=text)


def _disagreements(row: Row) -> Iterator[Finding | Gap]:
    for cell in row.cells:
        if cell.error is not None:
            yield _gap("disagrees", row, cell)
        elif cell.agrees is False:
            says = ", ".join(cell.says) or "nothing"
            text = (
                f"{row.guest} is declared at {row.declared} for {row.mac} (inventory); "
                f"{_said(cell)} says {says} ({cell.source})"
            )
            yield Finding(kind="disagrees", subject=row.guest, text=text)


def _moves(book: Book, row: Row) -> Iterator[Finding | Gap]:
    """Whether the address rests on something that outlives the next start of the DHCP server.

    MAAS takes every host entry out of the lease file before it starts dhcpd, so an entry that
    was made while dhcpd ran is gone then; a lease from a pool may go to somebody else.
    """
    mode = row.configured.mode if row.configured is not None else "inside"
    if mode in ("static", "no such card"):
        return
    reserved = [cell for cell in row.of("reserved") if cell.agrees]
    entries = [cell for cell in row.of("host entry") if cell.agrees]
    lasting = [cell for cell in entries if cell.note != DYNAMIC]
    if reserved or lasting:
        yield from _not_served(row, reserved)
        return
    keepers = (*row.of("reserved"), *row.of("host entry"))
    gaps = [_gap("moves", row, cell) for cell in keepers if cell.error is not None]
    weak = [*entries, *(cell for cell in row.of("leased") if cell.agrees)]
    if not book.maas:
        gaps.append(_unknown(row, "the inventory declares no MAAS that could be asked"))
    elif mode == "inside" and not weak:
        gaps.append(_unknown(row, "its address is set inside the guest, or nowhere"))
    if gaps:
        yield from gaps
        return
    yield _will_move(book, row, weak)


def _unknown(row: Row, why: str) -> Gap:
    text = f"{row.guest}: what keeps it at {row.declared} is not known: {why}"
    return Gap(kind="moves", subject=row.guest, text=text)


def _not_served(row: Row, reserved: list[Cell]) -> Iterator[Finding]:
    """A reservation of which the DHCP server has no host entry is one that it does not give."""
    if any(cell.error is not None or cell.note != DYNAMIC for cell in row.of("host entry")):
        return
    text = (
        f"{row.guest} is reserved at {row.declared} in MAAS ({reserved[0].source}); "
        f"the DHCP server's configuration has no host entry of it"
    )
    fix = "look at the rack controller's log: MAAS writes dhcpd.conf at each change"
    yield Finding(kind="disagrees", subject=row.guest, text=text, fix=fix)


def _will_move(book: Book, row: Row, weak: list[Cell]) -> Finding:
    if not weak:
        why = f"nothing keeps {row.declared} for {row.mac}"
    else:
        what = "a lease" if weak[0].column == "leased" else "a dynamic host entry"
        why = f"{row.declared} rests on {what} ({weak[0].source})"
    ranges = ", ".join(sorted({str(item.range) for item in book.ranges}))
    into = f", and it then gets one of {ranges}" if ranges else ""
    return Finding(
        kind="moves",
        subject=row.guest,
        text=f"{row.guest} will move at the next dhcpd start: {why}{into}",
        fix=f"reserve {row.declared} for {row.mac} in MAAS, or make it static in the guest",
    )


def _in_a_range(book: Book, row: Row) -> Iterator[Finding]:
    """dhcpd takes no fixed address out of a range: another client can be given it."""
    for item in book.ranges:
        if row.declared in item.range:
            text = (
                f"{row.guest} is declared at {row.declared} (inventory), inside the dynamic "
                f"range {item.range} ({item.source})"
            )
            fix = "shrink the range, or move the guest out of it"
            yield Finding(kind="in a range", subject=row.guest, text=text, fix=fix)


def _others_in_a_range(book: Book) -> Iterator[Finding | Gap]:
    for address, what in book.others.items():
        if any(row.declared == address for row in book.rows):
            continue
        for item in book.ranges:
            if address in item.range:
                text = (
                    f"{what} is declared at {address} (inventory), inside the dynamic range "
                    f"{item.range} ({item.source})"
                )
                yield Finding(kind="in a range", subject=book.site, text=text)
    yield from _site_gaps(book, "ranges", "in a range", "dynamic ranges")


def _orphans(book: Book) -> Iterator[Finding | Gap]:
    for item in book.holders:
        text = (
            f"{item.address} has a {item.kind} for {item.who} ({item.source}); "
            "the inventory knows neither"
        )
        fix = "remove it, or declare the name under dns.names"
        yield Finding(kind="orphan", subject=book.site, text=text, fix=fix)
    yield from _site_gaps(book, "holders", "orphan", "who has which address")


def _alone(book: Book) -> Iterator[Finding | Gap | Waived]:
    """One server is told once: of its network, else of itself."""
    alone = [item for item in book.served if len(item.servers) < 2]
    for item in alone[:1]:
        servers = ", ".join(item.servers) or "nobody"
        text = f"DHCP of {item.network} comes from {servers} alone ({item.source})"
        fix = "add a second rack controller, or keep every lease longer than its repair takes"
        leave = book.one_server
        if leave is not None and not leave.over:
            yield Waived(
                kind="one server",
                subject=book.site,
                text=text,
                fix=fix,
                reason=leave.reason,
                until=leave.until,
            )
            continue
        if leave is not None:
            text += f", which was accepted until {leave.until} ({leave.reason})"
        yield Finding(kind="one server", subject=book.site, text=text, fix=fix)
    yield from _site_gaps(book, "served", "one server", "who serves DHCP")


def _site_gaps(book: Book, topic: Topic, kind: FindingKind, what: str) -> Iterator[Gap]:
    for why in book.unread.get(topic, ()):
        yield Gap(kind=kind, subject=book.site, text=f"{what} not known: {why}")
