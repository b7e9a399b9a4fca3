"""The configuration: what gives addresses, wherever it stands, and nothing that is not there."""

from __future__ import annotations

import pytest

from blackstart.drivers.dhcpd_conf import read_configuration
from blackstart.drivers.dhcpd_grammar import MAX_CHARACTERS, MAX_DEPTH, statements
from blackstart.errors import Malformed
from blackstart.model.dhcp_facts import AddressRange

from .dhcpd_files import CONFIGURATION, needs_recorded, recorded

SUBNET = "subnet 192.0.2.0 netmask 255.255.255.0 {{ {} }}"


def test_hosts_and_ranges_wherever_they_stand() -> None:
    found = read_configuration(CONFIGURATION)
    assert {host.name: (host.mac, host.addresses) for host in found.hosts} == {
        "bc-24-11-00-00-01": ("bc:24:11:00:00:01", ("192.0.2.31",)),
        "printer": ("bc:24:11:00:00:09", ("printer.lab.test", "192.0.2.9")),
    }
    assert [str(item) for item in found.ranges] == [
        "192.0.2.100-192.0.2.150",
        "192.0.2.160-192.0.2.160",
    ]
    assert found.partners == ()


def test_the_braces_of_an_options_definition_are_no_block() -> None:
    """dhcp-options(5), DEFINING NEW OPTIONS; found against the vendor's own test files."""
    text = """
option space lab;
option lab.pairs code 1 = array of { ip-address, { text, boolean } };
host a { hardware ethernet 0:0:0:0:0:1; fixed-address 192.0.2.1; }
"""
    (host,) = read_configuration(text).hosts
    assert host.addresses == ("192.0.2.1",)


def test_the_interface_of_a_network_is_no_unknown_word() -> None:
    """dhcpd.conf(5), the interface statement; found against the vendor's own test files."""
    text = SUBNET.format('interface "eth0"; range 192.0.2.9;')
    assert len(read_configuration(text).ranges) == 1


def test_the_line_of_a_host_is_where_it_begins() -> None:
    first = read_configuration(CONFIGURATION).hosts[0]
    assert CONFIGURATION.splitlines()[first.line - 1] == "host bc-24-11-00-00-01 {"


def test_both_ends_belong_to_a_range() -> None:
    item = AddressRange(first="192.0.2.9", last="192.0.2.100")
    assert "192.0.2.9" in item
    assert "192.0.2.100" in item
    assert "192.0.2.8" not in item
    assert "192.0.2.101" not in item


def test_a_failover_peer_counts_when_a_pool_uses_it() -> None:
    declared = 'failover peer "two" { primary; mclt 60; }'
    used = SUBNET.format('pool { failover peer "two"; range 192.0.2.9; }')
    assert read_configuration(declared + used).partners == ("two",)
    assert read_configuration(declared).partners == ()
    assert read_configuration(used).partners == ()


@needs_recorded
def test_the_recorded_configuration() -> None:
    found = read_configuration(recorded("dhcpd.conf.from-api-state"))
    assert [(host.mac, *host.addresses) for host in found.hosts] == [
        ("bc:24:11:3b:7a:a7", "198.51.100.30"),
        ("bc:24:11:aa:71:71", "198.51.100.71"),
        ("cc:7c:02:d1:78:f8", "198.51.100.3"),
        ("bc:24:11:aa:45:45", "198.51.100.45"),
        ("bc:24:11:aa:47:47", "198.51.100.47"),
        ("bc:24:11:aa:48:48", "198.51.100.48"),
    ]
    assert found.ranges == (AddressRange(first="198.51.100.100", last="198.51.100.150"),)


@pytest.mark.parametrize(
    "text",
    [
        'include "/etc/dhcp/hosts.conf";',
        "hosc a { hardware ethernet 0:0:0:0:0:1; }",
        "host a { hardware ethernet 0:0:0:0:0:1; fixed-adress 192.0.2.1; }",
        "host a { hardware ethernet 0:0:0:0:0:1; fixed-address 192.0x2.1; }",
        "host a { dynamic; hardware ethernet 0:0:0:0:0:1; }",
        "host a { } host a { }",
        SUBNET.format("range 192.0.2.9 192.0.2.8;"),
        SUBNET.format("range 192.0.3.1;"),
        SUBNET.format("range;"),
        SUBNET.format("rang 192.0.2.1;"),
        SUBNET.format("").replace("192.0.2.0", "192.0.2.1"),
        SUBNET.format("").replace("netmask", "metmask"),
        "failover pear;",
        "authoritative",
        "authoritative }",
        "authoritative;;",
        "authoritative; }",
        "{ authoritative; }",
        "group { authoritative;",
        'filename "no end;',
        "option x = concat(a;",
        "option x = a);",
        "option x = { text;",
        "option x = { text; host a { hardware ethernet 0:0:0:0:0:1; } }",
        "option x = text };",
        "option x { text };",
        "authoritative; \x00",
        "authoritativé;",
        "group {" * (MAX_DEPTH + 1),
    ],
)
def test_damage_is_told_with_its_line(text: str) -> None:
    with pytest.raises(Malformed, match=r"^line 2: "):
        read_configuration(f"# a comment\n{text}\n")


def test_an_error_never_quotes_the_file() -> None:
    """It holds keys."""
    damaged = CONFIGURATION.replace('secret "c2VjcmV0";', 'secret "c2VjcmV0;')
    with pytest.raises(Malformed) as raised:
        read_configuration(damaged)
    assert "c2VjcmV0" not in str(raised.value)


def test_a_file_that_is_far_too_large_is_refused() -> None:
    with pytest.raises(Malformed):
        statements(" " * (MAX_CHARACTERS + 1))
