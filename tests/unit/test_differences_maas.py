"""What MAAS says differs between two snapshots: every fact has its class, and none is lost."""

from __future__ import annotations

from typing import Any

import pytest

from blackstart.model.differences import compare, undeclared, unread
from blackstart.model.facts import SiteFacts
from blackstart.model.inventory import Tolerance
from blackstart.model.maas_facts import MaasFacts, MaasVersion

from .invariants.site import good, lost, seen, site
from .maas_site import BOX, IMAGE, LAN, RECORD, WELL, rack
from .test_differences import TODAY

CHANGES: list[tuple[str, Any, str, str]] = [
    (
        "version",
        MaasVersion(text="3.7.0", series="3.7"),
        "identity",
        "maas/version: 3.6.1 -> 3.7.0",
    ),
    ("administrator", False, "identity", "maas/administrator: True -> False"),
    (
        "reservations",
        (),
        "identity",
        "maas/reservations/192.0.2.61 static-link: bc:24:11:00:00:01 -> absent",
    ),
    (
        "nodes",
        (BOX.model_copy(update={"interfaces": ()}),),
        "set",
        "maas/nodes/device box: bc:24:11:00:00:01 static 192.0.2.61 -> no fixed address",
    ),
    (
        "subnets",
        (LAN.model_copy(update={"dhcp_on": False}),),
        "identity",
        "maas/subnets/192.0.2.0/24: "
        "DHCP from bbbbbb, managed, gateway 192.0.2.1, DNS 192.0.2.53 -> "
        "no DHCP, managed, gateway 192.0.2.1, DNS 192.0.2.53",
    ),
    (
        "dynamic_ranges",
        (),
        "identity",
        "maas/dynamic_ranges/192.0.2.100-192.0.2.150: present -> absent",
    ),
    (
        "dns_records",
        (RECORD, RECORD.model_copy(update={"value": "192.0.2.99"})),
        "converging",
        "maas/dns_records/box.lab.test A: 192.0.2.61 -> 192.0.2.61, 192.0.2.99",
    ),
    ("racks", (rack("dead"),), "converging", "maas/racks/maas/dhcpd: running -> dead"),
    (
        "images",
        (IMAGE.model_copy(update={"complete": False}),),
        "converging",
        "maas/images/ubuntu/noble amd64: complete -> incomplete",
    ),
    ("importing", True, "volatile", "maas/importing: False -> True"),
    ("syncs_by_itself", False, "identity", "maas/syncs_by_itself: True -> False"),
    ("events", (), "volatile", "maas/events: 7 -> none"),
]
COMPARED = [field for field, _, klass, _ in CHANGES if klass != "volatile"]


def snapshot(**changes: Any) -> SiteFacts:
    """A healthy site whose MAAS says something else."""
    return good().before.model_copy(update={"maas": WELL.model_copy(update=changes)})


def test_no_fact_is_forgotten() -> None:
    assert [field for field, *_ in CHANGES] == list(MaasFacts.model_fields)
    assert compare(snapshot(), snapshot()) == ()


@pytest.mark.parametrize(("field", "now", "klass", "said"), CHANGES)
def test_every_fact_has_its_class(field: str, now: Any, klass: str, said: str) -> None:
    (item,) = compare(snapshot(), snapshot(**{field: seen(now)}))
    assert item.klass == klass
    assert str(item) == said


def test_a_sync_that_brings_a_newer_version_is_no_difference() -> None:
    newer = IMAGE.model_copy(update={"version": "20261001", "size": 12})
    assert compare(snapshot(), snapshot(images=seen((newer,)))) == ()


@pytest.mark.parametrize("field", COMPARED)
def test_a_fact_that_was_not_read_is_told_with_its_reason(field: str) -> None:
    away = snapshot(**{field: lost("maas GET x/", "MAAS answers 503: busy")})
    assert f"maas/{field} after: MAAS answers 503: busy (maas GET x/)" in unread(
        site(), snapshot(), away
    )


def test_a_maas_that_nobody_looked_at_is_told() -> None:
    inventory = site(maas={"url": "https://192.0.2.62:5443/MAAS", "key": "env:KEY"})
    facts = good().after
    assert unread(inventory, facts, facts).count("maas after: nobody looked") == 1
    assert unread(site(), facts, facts).count("maas after: nobody looked") == 0


def test_what_maas_says_can_be_tolerated() -> None:
    (item,) = compare(snapshot(), snapshot(racks=seen((rack("dead"),))))
    known = Tolerance(path="maas/racks/maas/dhcpd", reason="one of two", until=TODAY)
    assert undeclared([item], [], TODAY) == (item,)
    assert undeclared([item], [known], TODAY) == ()
