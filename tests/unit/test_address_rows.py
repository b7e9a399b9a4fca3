"""The address book: one row a guest, each source in its column, agreeing or not."""

from __future__ import annotations

from typing import Any

import pytest

from blackstart.model.address_book import Cell, Row
from blackstart.model.facts import SiteFacts

from .guest_addresses import (
    BOX,
    BOX_AT,
    FAR,
    LOG,
    STRANGER,
    agreeing,
    book,
    dhcp,
    entry,
    lease,
    maas,
    record,
    reservation,
    with_guest,
)
from .invariants.site import lost, seen


def row(facts: SiteFacts | None = None, guest: str = "box", **changes: Any) -> Row:
    (found,) = (item for item in book(facts, **changes).rows if item.guest == guest)
    return found


def test_a_row_for_every_guest_that_is_meant_to_run() -> None:
    assert [item.guest for item in book().rows] == ["box", "far"]


def test_every_source_has_its_column_and_they_agree() -> None:
    found = row()
    assert (found.declared, found.mac) == (BOX_AT, BOX)
    assert {cell.column: (cell.says, cell.agrees) for cell in found.cells} == {
        "configured": (("dhcp",), None),
        "reserved": ((BOX_AT,), True),
        "host entry": ((BOX_AT,), True),
        "seen": ((BOX_AT,), True),
        "DNS": ((BOX_AT,), True),
        "reverse": (("box.lab.test",), True),
        "certificate": ((BOX_AT,), True),
    }
    assert all(cell.source and cell.error is None for cell in found.cells)
    assert [cell.note for cell in found.of("DNS")] == ["box.lab.test at ns", "box.lab.test in MAAS"]


def test_a_static_guest_is_configured_with_its_address() -> None:
    (cell,) = row(guest="far").of("configured")
    assert (cell.says, cell.agrees) == (("192.0.2.62",), True)
    assert cell.source == "api far, ipconfig0"


def served(**changes: Any) -> SiteFacts:
    return agreeing(dhcp={"far": dhcp(**changes)})


def managed(**changes: Any) -> SiteFacts:
    return agreeing(maas=maas(**changes))


@pytest.mark.parametrize(
    ("facts", "column", "says", "note"),
    [
        (managed(reservations=seen((reservation(ip="192.0.2.7"),))), "reserved", "192.0.2.7", ""),
        (managed(reservations=seen((reservation(mac=STRANGER),))), "reserved", BOX_AT, STRANGER),
        (served(declared=seen((entry(at="192.0.2.7"),))), "host entry", "192.0.2.7", "dhcpd.conf"),
        (served(declared=seen((entry(mac=STRANGER),))), "host entry", BOX_AT, STRANGER),
        (
            served(recorded=seen((entry(deleted=True, mac=BOX, addresses=()),))),
            "host entry",
            BOX_AT,
            "deleted in the lease file",
        ),
        (
            served(recorded=seen((entry(at="192.0.2.7", dynamic=True),))),
            "host entry",
            "192.0.2.7",
            "dynamic",
        ),
        (served(leases=seen((lease(mac=STRANGER),))), "leased", BOX_AT, STRANGER),
        (with_guest("box", interfaces=seen({BOX: ("192.0.2.7",)})), "seen", "192.0.2.7", ""),
        (with_guest("box", interfaces=seen({STRANGER: (BOX_AT,)})), "seen", "", ""),
        (
            with_guest("far", interfaces=seen({FAR: ("192.0.2.62", f"{BOX_AT}/24")})),
            "seen",
            BOX_AT,
            f"on far, {FAR}",
        ),
        (with_guest("box", config=seen({})), "configured", "no such card", ""),
        (
            agreeing(names={"ns/box.lab.test": seen((), "dns ns: NXDOMAIN")}),
            "DNS",
            "",
            "box.lab.test at ns",
        ),
        (managed(dns_records=seen((record("box.lab.test", "192.0.2.7"),))), "DNS", "192.0.2.7", ""),
        (
            agreeing(reverse={f"ns/{BOX_AT}": seen(("old.lab.test",))}),
            "reverse",
            "old.lab.test",
            "at ns",
        ),
    ],
)
def test_a_source_that_says_something_else(
    facts: SiteFacts, column: str, says: str, note: str
) -> None:
    (cell,) = (item for item in row(facts).cells if item.agrees is False)
    assert (cell.column, ", ".join(cell.says)) == (column, says)
    assert note in cell.note


@pytest.mark.parametrize(
    ("changes", "note"),
    [
        ({"addresses": seen(("192.0.2.7",), "tls api")}, "api"),
        ({"verified": seen(False, "tls api")}, "api, which does not verify"),
    ],
)
def test_a_certificate_of_another_address_or_authority(changes: Any, note: str) -> None:
    whole = agreeing()
    certificate = whole.certificates["api"].model_copy(update=changes)
    (cell,) = row(agreeing(certificates={"api": certificate})).of("certificate")
    assert (cell.agrees, cell.note) == (False, note)


def test_a_lease_of_another_address_disagrees_while_the_guest_may_use_it() -> None:
    other = lease(at="192.0.2.120")
    moved = with_guest("box", interfaces=seen({BOX: ("192.0.2.120",)})).model_copy(
        update={"dhcp": {"far": dhcp(leases=seen((other,), LOG))}}
    )
    (cell,) = row(moved).of("leased")
    assert (cell.says, cell.agrees) == (("192.0.2.120",), False)
    (cell,) = row(served(leases=seen((other,), LOG))).of("leased")
    assert (cell.agrees, cell.note) == (None, "left over")


def test_a_lease_that_is_over_says_nothing() -> None:
    assert row(served(leases=seen((lease(ends=-1.0), lease(state="free"))))).of("leased") == ()


def test_a_host_name_in_the_configuration_is_one_that_dns_answers() -> None:
    (cell,) = row(served(declared=seen((entry(at="box.lab.test"),)))).of("host entry")
    assert cell.agrees is True


def unknown(found: Row) -> dict[str, Cell]:
    return {cell.column: cell for cell in found.cells if cell.error is not None}


@pytest.mark.parametrize(
    ("facts", "column", "error"),
    [
        (agreeing(maas=None), "reserved", "nobody looked"),
        (managed(reservations=lost("maas", "no privilege")), "reserved", "no privilege"),
        (agreeing(dhcp={}), "host entry", "nobody looked"),
        (agreeing(dhcp={}), "leased", "nobody looked"),
        (served(declared=lost(error="line 3: damaged")), "host entry", "line 3: damaged"),
        (served(leases=lost(error="line 3: damaged")), "leased", "line 3: damaged"),
        (with_guest("box", config=lost()), "configured", "no answer"),
        (with_guest("box", interfaces=lost()), "seen", "no answer"),
        (agreeing(guests={}), "seen", "nobody looked"),
        (agreeing(guests={}), "configured", "nobody looked"),
        (agreeing(names={}), "DNS", "nobody looked"),
        (agreeing(reverse={}), "reverse", "nobody looked"),
        (agreeing(certificates={}), "certificate", "nobody looked"),
    ],
)
def test_what_was_not_read_says_so(facts: SiteFacts, column: str, error: str) -> None:
    cell = unknown(row(facts))[column]
    assert (cell.error, cell.agrees, cell.says) == (error, None, ())


def test_without_maas_nobody_is_asked_for_reservations() -> None:
    columns = {cell.column for cell in row(maas=None).cells}
    assert not columns & {"reserved", "host entry", "leased"}


def test_a_maas_without_its_guest_has_no_files_to_read() -> None:
    found = unknown(row(maas={"url": "https://192.0.2.62/MAAS", "key": "env:KEY"}))
    assert found["host entry"].error == "the inventory names no guest of MAAS"
