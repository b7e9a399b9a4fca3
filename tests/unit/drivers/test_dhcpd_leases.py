"""The lease file: what holds is the last record, and damage is told with its line."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from blackstart.drivers.dhcpd_leases import LeaseFile, read_leases
from blackstart.errors import Malformed
from blackstart.model.dhcp_facts import HostEntry

from .dhcpd_files import LEASES, needs_recorded, recorded


def live(file: LeaseFile) -> dict[str, tuple[str | None, tuple[str, ...]]]:
    """MAC and addresses of every host entry that is not deleted, by name."""
    return {host.name: (host.mac, host.addresses) for host in file.hosts if not host.deleted}


def test_of_each_name_and_address_the_last_record_holds() -> None:
    file = read_leases(LEASES)
    assert live(file) == {
        "bc-24-11-00-00-01": ("bc:24:11:00:00:01", ("192.0.2.41",)),
        "nh6b004f2155fe": ("bc:24:11:00:00:02", ("192.0.2.32",)),
    }
    held, free = file.leases
    assert (held.address, held.mac, held.hostname) == ("192.0.2.100", "bc:24:11:00:00:07", None)
    assert held.ends == datetime(2026, 11, 20, 14, 6, 48, tzinfo=UTC).timestamp()
    assert (free.address, free.state, free.mac) == ("192.0.2.101", "free", None)


def test_a_deleted_entry_of_the_configuration_is_told_from_a_dynamic_one() -> None:
    deleted = [host for host in read_leases(LEASES).hosts if host.deleted]
    assert [(host.name, host.dynamic) for host in deleted] == [("bc-24-11-00-00-03", False)]


def test_a_lease_is_held_until_its_end() -> None:
    held, free = read_leases(LEASES).leases
    end = held.ends
    assert end is not None
    assert held.held_at(end - 1)
    assert not held.held_at(end)
    assert not free.held_at(0)


@pytest.mark.parametrize(("text", "moment"), [("never", None), ("epoch 1795182408", 1795182408.0)])
def test_other_ways_to_write_a_time(text: str, moment: float | None) -> None:
    lease = "lease 192.0.2.1 { ends %s; binding state active; hardware ethernet 0:1:2:3:4:5; }"
    (found,) = read_leases(lease % text).leases
    assert found.ends == moment
    assert found.mac == "00:01:02:03:04:05"


def test_an_empty_file_has_nothing_and_is_right() -> None:
    assert read_leases("") == LeaseFile((), ())


@needs_recorded
def test_the_recorded_file() -> None:
    assert live(read_leases(recorded("dhcpd.leases.real"))) == {
        "bc-24-11-00-00-02": ("bc:24:11:00:00:02", ("198.51.100.41",)),
        "bc-24-11-00-00-03": ("bc:24:11:00:00:03", ("198.51.100.32",)),
        "nh6b004f2155fe34524880": ("bc:24:11:00:00:04", ("198.51.100.33",)),
    }


@needs_recorded
def test_a_restart_keeps_dynamic_hosts_and_maas_takes_them_away() -> None:
    before, after = (
        read_leases(recorded(f"dhcpd.leases.{name}")) for name in ("real", "after-restart")
    )
    assert live(after) == live(before)
    cleaned = read_leases(recorded("dhcpd.leases.after-maas-clean"))
    assert cleaned.hosts == ()
    assert cleaned.leases == after.leases


HOST = "host a {{ dynamic; hardware ethernet 0:0:0:0:0:1; fixed-address {}; }}"
LEASE = "lease 192.0.2.1 {{ starts {}; ends never; binding state {}; hardware ethernet {}; }}"
GOOD = ("5 2026/11/20 13:46:48", "active", "0:0:0:0:0:1")


def lease(starts: str = GOOD[0], state: str = GOOD[1], mac: str = GOOD[2]) -> str:
    return LEASE.format(starts, state, mac)


@pytest.mark.parametrize(
    "text",
    [
        HOST.format("192.0.2.300"),
        HOST.format("192.0.2"),
        HOST.format("192.0.2.1."),
        HOST.format("box.lab.test"),
        HOST.format("192.0.2.3;"),
        HOST.format("192.0.2.1,"),
        HOST.format("192.0.2.1 192.0.2.2"),
        HOST.format("192.0.2.1") + HOST.format("192.0.2.2"),
        HOST.format("192.0.2.1").replace("dynamic; ", ""),
        HOST.format("192.0.2.1").replace("dynamic", "dynamik"),
        HOST.format("192.0.2.1").replace("dynamic", "deleted"),
        HOST.format("192.0.2.1").replace("fixed-address", "fixed-addresz"),
        HOST.format("192.0.2.1").replace("0:1;", "0:g;"),
        HOST.format("192.0.2.1").replace("hardware ethernet 0:0:0:0:0:1;", ""),
        HOST.format("192.0.2.1").replace("ethernet", "ethernef"),
        HOST.format("192.0.2.1").replace("host a", "host"),
        HOST.format("192.0.2.1").replace("host a", "host -"),
        HOST.format("192.0.2.1").replace("host", "hose"),
        "host a { dynamic; deleted; }",
        "host a;",
        lease(starts="4 2026/11/20 13:46:48"),
        lease(starts="5 2026/11/31 13:46:48"),
        lease(starts="5 2026/11/20"),
        lease(state="actife"),
        lease(mac="0:0:0:0:1"),
        lease().replace("binding state active; ", ""),
        lease().replace("ends never; ", ""),
        lease().replace("starts", "startz"),
        lease().replace("ends never;", 'ends never; set clip < "192.0.2.1";'),
        lease().replace("ends never;", 'ends never; set clip =Y"192.0.2.1";'),
        lease().replace("ends never;", "ends never; set clip = ;"),
        lease().replace("192.0.2.1", "192.0.2.01"),
        lease().replace("ends never;", "ends never; ends never;"),
    ],
)
def test_damage_is_told_with_its_line(text: str) -> None:
    with pytest.raises(Malformed, match=r"^line 3: ") as raised:
        read_leases(f"# a comment {{\nhost b {{ deleted; }}\n{text}\n")
    assert raised.value.line == 3


def test_the_forms_that_the_damaged_ones_are_made_of_are_right() -> None:
    kept = lease().replace("ends never;", 'ends never; set a = "\\"x = y\\""; set b = 600;')
    file = read_leases(HOST.format("192.0.2.1, 192.0.2.2") + kept)
    (host,) = file.hosts
    assert host == HostEntry(
        name="a",
        mac="00:00:00:00:00:01",
        addresses=("192.0.2.1", "192.0.2.2"),
        dynamic=True,
        line=1,
    )
    assert file.leases[0].starts == datetime(2026, 11, 20, 13, 46, 48, tzinfo=UTC).timestamp()
