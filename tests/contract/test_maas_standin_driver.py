"""The product's driver and checks against the stand-in, in the state that the rack starts with."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from blackstart.drivers.dhcpd_conf import read_configuration
from blackstart.drivers.maas import NO_ADMINISTRATOR, Maas
from blackstart.drivers.maas_api import Key, MaasApi
from blackstart.errors import DriverError, Rejected
from blackstart.model.maas_facts import MaasFacts
from blackstart.rack.seed import dns
from blackstart.rack.standins.maas.units import DHCPD, NAMED, UnitState
from blackstart.rack.topology import PVE
from tests.contract.maas_rack import ADMINISTRATOR, ONLOOKER, racks_state
from tests.contract.maas_standin import STOPPED, StandIn, standing_in, write_images

FILTERED = {"reservations", "nodes", "dns_records", "racks", "events"}


@pytest.fixture
def site(tmp_path: Path) -> Iterator[StandIn]:
    """The rack's MAAS."""
    with standing_in(tmp_path, racks_state()) as site:
        write_images(site.layout, site.state)
        yield site


def observe(site: StandIn, key: Key = ADMINISTRATOR) -> MaasFacts:
    """All facts by a driver of its own."""
    api = MaasApi(site.url, key=key, ca=site.ca)
    try:
        return Maas(api).observe()
    finally:
        api.close()


def unknown(facts: MaasFacts) -> dict[str, str | None]:
    """What was not read, and why."""
    found = {name: getattr(facts, name) for name in MaasFacts.model_fields}
    return {name: fact.error for name, fact in found.items() if not fact.known}


def test_every_fact_is_known_to_an_administrator(site: StandIn) -> None:
    facts = observe(site)
    assert unknown(facts) == {}
    assert facts.version.value is not None
    assert facts.version.value.series == "3.6"


def test_every_guest_with_dhcp_is_reserved(site: StandIn) -> None:
    held = {
        (item.mac, item.ip)
        for item in observe(site).reservations.value or ()
        if item.kind == "reservedip"
    }
    assert held == {(guest.mac, str(guest.address)) for guest in PVE.guests if not guest.static}


def test_the_names_are_those_of_binds_zone(site: StandIn) -> None:
    records = observe(site).dns_records.value or ()
    found = {(record.fqdn, record.rrtype, record.value) for record in records}
    wanted = {(f"{name}.{PVE.domain}", "A", str(at)) for name, at in dns.addresses(PVE).items()}
    wanted |= {(f"{alias}.{PVE.domain}", "CNAME", name) for alias, name in dns.aliases(PVE).items()}
    assert found == wanted


def test_dhcp_comes_from_the_one_rack_and_from_a_range_that_no_guest_is_in(site: StandIn) -> None:
    facts = observe(site)
    (subnet,) = facts.subnets.value or ()
    (rack,) = facts.racks.value or ()
    assert (subnet.dhcp_on, subnet.racks) == (True, (rack.system_id,))
    assert rack.hostname == "maas"
    configured = read_configuration(site.layout.dhcpd_conf.read_text())
    ranges = facts.dynamic_ranges.value or ()
    assert [(each.first, each.last) for each in ranges] == [
        (each.first, each.last) for each in configured.ranges
    ]
    assert not any(str(guest.address) in configured.ranges[0] for guest in PVE.guests)


def test_services_are_those_of_the_units(site: StandIn) -> None:
    def services() -> dict[str, tuple[str, str]]:
        (rack,) = observe(site).racks.value or ()
        return {name: (each.status, each.info) for name, each in rack.services.items()}

    well = services()
    assert {name for name, (status, _) in well.items() if status == "running"} == {
        *("http", "rackd", "agent", "dns_rack", "dhcpd")
    }
    assert {status for status, _ in well.values()} == {"running", "off"}
    site.units.states_of[DHCPD] = UnitState("failed", "failed")
    site.units.states_of[NAMED] = STOPPED
    ill = services()
    assert ill["dhcpd"] == ("dead", "dhcpd is not running")
    assert ill["dns_rack"] == ("dead", "named is not running")
    del site.units.states_of[DHCPD]
    assert services()["dhcpd"] == ("unknown", "maas-dhcpd.service cannot be asked for")


def test_who_is_no_administrator_proves_nothing_and_starts_nothing(site: StandIn) -> None:
    facts = observe(site, ONLOOKER)
    assert unknown(facts) == dict.fromkeys(FILTERED, NO_ADMINISTRATOR)
    api = MaasApi(site.url, key=ONLOOKER, ca=site.ca)
    with pytest.raises(Rejected, match=r"^403 This method is reserved for admin users\.$"):
        Maas(api).start_import()
    api.close()


@pytest.mark.parametrize(
    ("key", "words"),
    [
        (Key("c9", "t9", "s9"), "401 MAAS knows no such consumer"),
        (Key(ADMINISTRATOR.consumer, "t9", "s9"), "401 MAAS knows no such token"),
        (Key(ADMINISTRATOR.consumer, ADMINISTRATOR.token, "s9"), "401 the key's secret"),
    ],
)
def test_a_wrong_key_is_told_as_such(site: StandIn, key: Key, words: str) -> None:
    assert {str(why)[: len(words)] for why in unknown(observe(site, key)).values()} == {words}


@pytest.mark.parametrize(("shift_s", "side"), [(400, "behind"), (-400, "ahead of")])
def test_a_wrong_clock_is_told_as_such(site: StandIn, shift_s: float, side: str) -> None:
    site.shift_s = shift_s
    (why,) = set(unknown(observe(site)).values())
    assert why is not None
    assert "the clocks differ" in why
    assert f"s {side} MAAS'" in why


def test_a_maas_that_is_gone_is_unreachable(tmp_path: Path) -> None:
    with standing_in(tmp_path, racks_state()) as site:
        api = MaasApi(site.url, key=ADMINISTRATOR, ca=site.ca)
    with pytest.raises(DriverError, match="Connection refused"):
        api.get("version/")
    api.close()


def test_an_import_by_the_driver_replaces_every_image(site: StandIn) -> None:
    api = MaasApi(site.url, key=ADMINISTRATOR, ca=site.ca)
    maas = Maas(api)
    before = {image.version for image in maas.observe().images.value or ()}
    maas.start_import()
    site.until_imported()
    facts = maas.observe()
    api.close()
    images = facts.images.value or ()
    assert len(images) == 8
    assert all(image.complete and image.version not in before for image in images)
    assert facts.importing.value is False
    assert [event.description for event in facts.events.value or ()] == [
        "Finished importing of boot images from 1 source(s).",
        "Started importing of boot images from 1 source(s).",
    ]
