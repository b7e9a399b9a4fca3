"""Every finding of an address book: red with both sources, green without, a gap when unread."""

from __future__ import annotations

from typing import Any

import pytest

from blackstart.model.address_findings import Judged
from blackstart.model.dhcp_facts import AddressRange
from blackstart.model.facts import SiteFacts
from blackstart.model.maas_facts import DynamicRange, Subnet
from blackstart.model.verdict import Verdict

from .guest_addresses import (
    BOX,
    BOX_AT,
    CONF,
    LOG,
    NETWORK,
    STRANGER,
    agreeing,
    dhcp,
    entry,
    judged,
    lease,
    maas,
    record,
    reservation,
    with_guest,
)
from .invariants.site import lost, seen

NOWHERE: dict[str, Any] = {"reservations": seen(())}


def texts(found: Judged, kind: str) -> list[str]:
    return [str(item) for item in found.findings if item.kind == kind]


def gaps(found: Judged, kind: str) -> list[str]:
    return [item.text for item in found.gaps if item.kind == kind]


def served(maas_changes: dict[str, Any] | None = None, **changes: Any) -> SiteFacts:
    return agreeing(dhcp={"far": dhcp(**changes)}, maas=maas(**(maas_changes or {})))


def test_a_site_in_which_all_agree_has_no_finding_and_no_gap() -> None:
    found = judged()
    assert (found.findings, found.gaps, found.verdict) == ((), (), Verdict.PASS)


def test_a_disagreement_names_both_sides_and_their_sources() -> None:
    facts = with_guest("box", interfaces=seen({BOX: ("192.0.2.7",)}, "api agent"))
    found = judged(facts)
    assert texts(found, "disagrees") == [
        f"box is declared at {BOX_AT} for {BOX} (inventory); seen says 192.0.2.7 (api agent)"
    ]
    assert found.verdict is Verdict.FAIL


def test_what_was_not_read_is_a_gap_and_no_pass() -> None:
    found = judged(with_guest("box", interfaces=lost("api agent", "no agent")))
    assert gaps(found, "disagrees") == ["box: seen not known: no agent (api agent)"]
    assert found.verdict is Verdict.UNPROVEN


def test_a_finding_outranks_a_gap() -> None:
    facts = with_guest("box", interfaces=seen({BOX: ("192.0.2.7",)}), config=lost())
    assert judged(facts).verdict is Verdict.FAIL


def test_no_guest_is_no_proof() -> None:
    found = judged(
        guests={}, dns=None, compose={}, services={}, mounts={}, certificates={}, maas=None
    )
    assert found.verdict is Verdict.UNPROVEN


DYNAMIC = entry(dynamic=True, line=12)


@pytest.mark.parametrize(
    ("facts", "rests"),
    [
        (
            served(NOWHERE, declared=seen(()), recorded=seen((DYNAMIC,), LOG)),
            f"{BOX_AT} rests on a dynamic host entry ({LOG} line 12)",
        ),
        (
            served(NOWHERE, declared=seen(()), leases=seen((lease(),), LOG)),
            f"{BOX_AT} rests on a lease ({LOG})",
        ),
        (served(NOWHERE, declared=seen(())), f"nothing keeps {BOX_AT} for {BOX}"),
    ],
)
def test_a_guest_that_will_move_is_told_before_it_does(facts: SiteFacts, rests: str) -> None:
    assert texts(judged(facts), "moves") == [
        f"box will move at the next dhcpd start: {rests}, and it then gets one of "
        f"192.0.2.100-192.0.2.150; reserve {BOX_AT} for {BOX} in MAAS, or make it static in the "
        "guest"
    ]


@pytest.mark.parametrize(
    "facts",
    [
        agreeing(),
        served(NOWHERE),
        served(recorded=seen((DYNAMIC,))),
        served(NOWHERE, recorded=lost()),
        with_guest("box", config=lost()),
    ],
    ids=["both", "dhcpd.conf alone", "a dynamic one beside it", "lease file unread", "unread"],
)
def test_a_guest_whose_address_outlives_a_restart_is_not_told_to_move(facts: SiteFacts) -> None:
    found = judged(facts)
    assert texts(found, "moves") == []
    assert gaps(found, "moves") == []


def test_a_static_guest_rests_on_nobody() -> None:
    assert not [item for item in judged(served(NOWHERE)).findings if item.subject == "far"]


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        (served({"reservations": lost("maas", "no privilege")}, declared=seen(())), "no privilege"),
        (served(NOWHERE, declared=lost(CONF, "line 3: damaged")), "line 3: damaged"),
        (agreeing(dhcp={}, maas=maas(**NOWHERE)), "nobody looked"),
        (agreeing(dhcp={}, maas=None), "nobody looked"),
    ],
)
def test_what_keeps_an_address_is_a_gap_when_nobody_could_say(facts: SiteFacts, why: str) -> None:
    found = judged(facts)
    assert texts(found, "moves") == []
    assert any(why in text for text in gaps(found, "moves"))


def test_without_maas_it_is_a_gap_who_gives_a_guest_its_address() -> None:
    found = judged(maas=None)
    assert gaps(found, "moves") == [
        f"box: what keeps it at {BOX_AT} is not known: the inventory declares no MAAS that could "
        "be asked"
    ]
    assert {item.kind for item in found.gaps} == {"moves"}


@pytest.mark.parametrize("config", [seen({"net0": f"virtio={BOX}"}), lost()])
def test_a_guest_that_is_set_inside_is_a_gap_unless_dhcp_knows_it(config: Any) -> None:
    nothing = {"dhcp": {"far": dhcp(declared=seen(()))}, "maas": maas(**NOWHERE)}
    leased = {**nothing, "dhcp": {"far": dhcp(declared=seen(()), leases=seen((lease(),)))}}
    inside = with_guest("box", config=config)
    assert "is not known" in gaps(judged(inside.model_copy(update=nothing)), "moves")[0]
    assert len(texts(judged(inside.model_copy(update=leased)), "moves")) == 1


def test_a_reservation_that_the_server_does_not_give_is_told() -> None:
    found = judged(served(declared=seen(())))
    assert texts(found, "moves") == []
    (text,) = texts(found, "disagrees")
    assert text.startswith(f"box is reserved at {BOX_AT} in MAAS (GET reservedips/); the DHCP")


@pytest.mark.parametrize(
    ("facts", "subjects"),
    [
        (
            served(ranges=seen((AddressRange(first=BOX_AT, last="192.0.2.70"),), CONF)),
            ["box is declared", "far is declared"],
        ),
        (
            served({"dynamic_ranges": seen((DynamicRange(subnet=1, first=BOX_AT, last=BOX_AT),))}),
            ["box is declared"],
        ),
        (
            served(ranges=seen((AddressRange(first="192.0.2.11", last="192.0.2.20"),), CONF)),
            ["node nas is", "node a1 is", "node a2 is"],
        ),
    ],
)
def test_a_declared_address_inside_a_dynamic_range(facts: SiteFacts, subjects: list[str]) -> None:
    found = texts(judged(facts), "in a range")
    assert len(found) == len(subjects)
    assert all(any(text.startswith(subject) for text in found) for subject in subjects)
    assert all("inside the dynamic range" in text for text in found)


def test_a_controller_that_has_a_name_instead_of_an_address_is_in_no_range() -> None:
    controller = {"url": "https://bmc.lab.test", "system": "1", "user": "u", "password": "env:P"}
    nodes = {
        "a1": {"address": "192.0.2.11", "api": "proxmox", "out_of_band": controller},
        "a2": {"address": "192.0.2.12", "api": "proxmox"},
        "nas": {"address": "192.0.2.20", "role": "nas"},
    }
    assert judged(nodes=nodes).verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        (
            served({"reservations": seen((reservation(), reservation(STRANGER, "192.0.2.90")))}),
            f"192.0.2.90 has a reservation for {STRANGER} (GET reservedips/)",
        ),
        (
            served(declared=seen((entry(), entry(STRANGER, "192.0.2.90")), CONF)),
            f"192.0.2.90 has a host entry for {STRANGER} ({CONF} line 7)",
        ),
        (
            served(leases=seen((lease(STRANGER, "192.0.2.90"),), LOG)),
            f"192.0.2.90 has a lease for {STRANGER} ({LOG})",
        ),
        (
            served({"dns_records": seen((record("old.lab.test", "192.0.2.90"),), "maas dns")}),
            "192.0.2.90 has a DNS record for old.lab.test (maas dns)",
        ),
    ],
)
def test_a_record_of_nobody_is_an_orphan(facts: SiteFacts, said: str) -> None:
    (text,) = texts(judged(facts), "orphan")
    assert text.startswith(f"{said}; the inventory knows neither")


@pytest.mark.parametrize(
    "facts",
    [
        agreeing(),
        served({"reservations": seen((reservation(), reservation(STRANGER, "192.0.2.20")))}),
        served(leases=seen((lease(STRANGER, "192.0.2.90", ends=-1.0),))),
        served({"dns_records": seen((record("old.lab.test", BOX_AT),))}),
        served({"dns_records": seen((record("laptop.lab.test", "192.0.2.100"),))}),
        served(recorded=seen((entry(STRANGER, addresses=(), deleted=True),))),
    ],
    ids=["a client's lease", "a node's", "a lease that is over", "alias", "client's name", "gone"],
)
def test_what_is_no_orphan(facts: SiteFacts) -> None:
    assert texts(judged(facts), "orphan") == []


def test_a_reservation_of_a_declared_virtual_address_is_no_orphan() -> None:
    facts = served({"reservations": seen((reservation(), reservation(STRANGER, "192.0.2.90")))})
    virtual = {"names": {"address": "192.0.2.90"}}
    assert texts(judged(facts, virtual_addresses=virtual), "orphan") == []
    assert len(texts(judged(facts), "orphan")) == 1


def test_a_reservation_and_its_host_entry_are_one_orphan() -> None:
    facts = served(
        {"reservations": seen((reservation(), reservation(STRANGER, "192.0.2.90")))},
        declared=seen((entry(), entry(STRANGER, "192.0.2.90"))),
    )
    assert len(texts(judged(facts), "orphan")) == 1


def subnet(*racks: str, on: bool = True) -> dict[str, Any]:
    found = Subnet(
        id=1,
        name="lan",
        cidr=NETWORK,
        managed=True,
        dhcp_on=on,
        racks=racks,
        gateway=None,
        dns_servers=(),
    )
    return {"subnets": seen((found,), "maas subnets")}


def test_one_dhcp_server_is_a_finding_and_told_once() -> None:
    (text,) = texts(judged(served(subnet("r1"), partners=seen(()))), "one server")
    assert text.startswith(f"DHCP of {NETWORK} comes from r1 alone (maas subnets)")


def test_a_server_without_a_partner_is_one_whatever_maas_says() -> None:
    (text,) = texts(judged(served(partners=seen((), CONF))), "one server")
    assert text.startswith(f"DHCP of dhcpd of far comes from far alone ({CONF})")


def test_a_network_without_dhcp_needs_no_server() -> None:
    assert texts(judged(served(subnet(on=False))), "one server") == []


LEAVE = {
    "check": "dhcp_has_a_second_server",
    "target": "home",
    "reason": "the second arrives in spring",
    "until": "1970-01-01",
}
"""The facts are of that day."""


def with_leave(facts: SiteFacts, **changes: str) -> Judged:
    return judged(facts, accept=[{**LEAVE, **changes}])


def test_one_server_that_the_owner_accepts_is_told_and_no_finding() -> None:
    found = with_leave(served(subnet("r1"), partners=seen(())))
    assert (found.findings, found.gaps, found.verdict) == ((), (), Verdict.PASS)
    assert [str(item) for item in found.waived] == [
        f"DHCP of {NETWORK} comes from r1 alone (maas subnets); "
        "accepted until 1970-01-01: the second arrives in spring"
    ]


def test_one_server_is_a_finding_again_from_the_day_after() -> None:
    found = with_leave(served(subnet("r1"), partners=seen(())), until="1969-12-31")
    (text,) = texts(found, "one server")
    assert ", which was accepted until 1969-12-31 (the second arrives in spring)" in text
    assert (found.waived, found.verdict) == ((), Verdict.FAIL)


def test_leave_for_one_server_covers_nothing_else() -> None:
    """Neither what was not read, nor another finding; and with two servers there is nothing."""
    unread = with_leave(served(partners=lost(CONF, "line 3: damaged")))
    assert (unread.waived, unread.verdict) == ((), Verdict.UNPROVEN)
    moving = with_leave(agreeing(dhcp={"far": dhcp(declared=seen(()))}, maas=maas(**NOWHERE)))
    assert moving.verdict is Verdict.FAIL
    assert with_leave(agreeing()).waived == ()


@pytest.mark.parametrize(
    ("kind", "facts"),
    [
        ("in a range", served(ranges=lost(CONF, "line 3: damaged"))),
        ("in a range", served({"dynamic_ranges": lost("maas", "no privilege")})),
        ("orphan", served(leases=lost(LOG, "line 3: damaged"))),
        ("orphan", served({"dns_records": lost("maas", "no privilege")})),
        ("one server", served({"subnets": lost("maas", "no privilege")})),
        ("one server", served(partners=lost(CONF, "line 3: damaged"))),
        ("orphan", agreeing(maas=None)),
        ("one server", agreeing(dhcp={})),
    ],
)
def test_a_part_of_the_site_that_was_not_read_is_a_gap(kind: str, facts: SiteFacts) -> None:
    found = judged(facts)
    assert len(gaps(found, kind)) == 1
    assert found.verdict is Verdict.UNPROVEN
