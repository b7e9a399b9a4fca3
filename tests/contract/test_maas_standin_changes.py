"""A change is on disk before it is answered, and dhcpd follows it; nothing is half done."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from blackstart.drivers.dhcpd_conf import read_configuration
from blackstart.rack.standins.maas.client import Refusal
from blackstart.rack.standins.maas.store import Store
from blackstart.rack.standins.maas.units import DHCPD
from blackstart.rack.topology import PVE
from tests.contract.maas_rack import racks_state
from tests.contract.maas_standin import StandIn, standing_in

MAC, ADDRESS = "bc:24:11:77:00:99", "10.77.0.99"
FORM = {"ip": ADDRESS, "mac_address": MAC}


@pytest.fixture
def site(tmp_path: Path) -> Iterator[StandIn]:
    """The rack's MAAS."""
    with standing_in(tmp_path, racks_state()) as site:
        yield site


def hosts(site: StandIn) -> dict[str | None, tuple[str, ...]]:
    """What dhcpd would give, read as our own reader does."""
    found = read_configuration(site.layout.dhcpd_conf.read_text()).hosts
    return {host.mac: host.addresses for host in found}


def test_a_reservation_reaches_dhcpd_and_outlives_a_restart(site: StandIn) -> None:
    made = site.client().call("POST", "reservedips/", FORM)
    assert hosts(site)[MAC] == (ADDRESS,)
    assert site.units.restarted == [DHCPD]
    assert site.on_disk() == site.state
    site.client().call("DELETE", f"reservedips/{made['id']}/")
    assert MAC not in hosts(site)
    assert site.units.restarted == [DHCPD, DHCPD]
    assert site.on_disk() == site.state


def test_an_id_is_never_given_twice(site: StandIn) -> None:
    first = site.client().call("POST", "reservedips/", FORM)
    site.client().call("DELETE", f"reservedips/{first['id']}/")
    assert site.client().call("POST", "reservedips/", FORM)["id"] > first["id"]


def test_what_changes_no_address_restarts_nothing(site: StandIn) -> None:
    client = site.client()
    client.call("PUT", "reservedips/1/", {"comment": "other words"})
    client.call("POST", "dnsresources/", {"fqdn": "new.rack.test", "ip_addresses": ADDRESS})
    client.call("POST", "maas/?op=set_config", {"name": "maas_name", "value": "x"})
    assert site.units.restarted == []
    assert site.on_disk() == site.state


def test_a_refused_change_changes_nothing(site: StandIn) -> None:
    before = site.on_disk()
    with pytest.raises(Refusal, match="must be outside the dynamic range"):
        site.client().call("POST", "reservedips/", {**FORM, "ip": "10.77.0.205"})
    assert (site.on_disk(), site.units.restarted) == (before, [])


def test_every_kind_of_fixed_address_is_given_by_dhcpd(site: StandIn) -> None:
    client = site.client()
    device = client.call("POST", "devices/", {"hostname": "box", "mac_addresses": MAC})
    (card,) = device["interface_set"]
    form = {"mode": "STATIC", "subnet": "1", "ip_address": ADDRESS}
    client.call(
        "POST", f"nodes/{device['system_id']}/interfaces/{card['id']}/?op=link_subnet", form
    )
    other = {"ip": "10.77.0.98", "mac": "bc:24:11:77:00:98", "subnet": "10.77.0.0/24"}
    client.call("POST", "ipaddresses/?op=reserve", other)
    assert hosts(site)[MAC] == (ADDRESS,)
    assert hosts(site)[other["mac"]] == (other["ip"],)
    client.call("DELETE", f"devices/{device['system_id']}/")
    client.call("POST", "ipaddresses/?op=release", {"ip": other["ip"]})
    assert {MAC, other["mac"]} & hosts(site).keys() == set()


def test_a_vlan_without_dhcp_has_no_hosts_and_no_range(site: StandIn) -> None:
    with site.maas.store.changing() as state:
        state["vlans"][0]["dhcp_on"] = False
    site.maas.dhcp.follow(site.maas.store)
    found = read_configuration(site.layout.dhcpd_conf.read_text())
    assert (found.hosts, found.ranges) == ((), ())


def test_a_guest_whose_name_is_known_can_be_reserved_again(site: StandIn) -> None:
    """An address that only a DNS record has is nobody else's."""
    client, k3s1 = site.client(), next(guest for guest in PVE.guests if guest.name == "k3s1")
    held = client.call("GET", "reservedips/")
    (own,) = (each for each in held if each["mac_address"] == k3s1.mac)
    client.call("DELETE", f"reservedips/{own['id']}/")
    assert k3s1.mac not in hosts(site)
    form = {"ip": str(k3s1.address), "mac_address": k3s1.mac.upper()}
    assert client.call("POST", "reservedips/", form)["mac_address"] == k3s1.mac
    assert hosts(site)[k3s1.mac] == (str(k3s1.address),)


def test_dhcpd_that_does_not_start_again_is_told_in_the_journal(
    site: StandIn, capsys: pytest.CaptureFixture[str]
) -> None:
    site.units.refusal = "Job for maas-dhcpd.service failed."
    site.client().call("POST", "reservedips/", FORM)
    assert "not restarted: Job for maas-dhcpd.service failed." in capsys.readouterr().out


def test_the_files_with_secrets_are_roots_alone(site: StandIn) -> None:
    site.client().call("POST", "reservedips/", FORM)
    assert stat.S_IMODE(site.layout.state.stat().st_mode) == 0o600
    assert stat.S_IMODE(site.layout.dhcpd_conf.stat().st_mode) == 0o640


def test_a_damaged_state_stops_it_and_is_no_empty_one(site: StandIn) -> None:
    text = site.layout.state.read_text()
    site.layout.state.write_text(text[: len(text) // 2])
    with pytest.raises(ValueError):
        Store(site.layout.state)


def test_a_failure_of_its_own_is_a_500_and_the_next_call_is_answered(
    site: StandIn, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(site.units, "states", lambda *_: 1 / 0)
    with pytest.raises(Refusal, match=r"^500 division by zero"):
        site.client().call("GET", "rackcontrollers/")
    assert "ZeroDivisionError" in capsys.readouterr().err
    assert site.client().call("GET", "subnets/")
