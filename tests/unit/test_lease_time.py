"""How long a lease lasts: from dhcpd's own file to the time that a drill holds, or unproven."""

from __future__ import annotations

import pytest

from blackstart.checking import longest_lease_s
from blackstart.drivers.dhcpd_conf import read_configuration
from blackstart.errors import Malformed, Unproven
from blackstart.model.facts import SiteFacts
from tests.unit.guest_addresses import dhcp
from tests.unit.invariants.site import good, lost, seen

SUBNET = "subnet 192.0.2.0 netmask 255.255.255.0 {{ {inner} }}"


def facts(lease_s: object) -> SiteFacts:
    return good().before.model_copy(update={"dhcp": {"far": dhcp(lease_s=lease_s)}})


@pytest.mark.parametrize(
    ("text", "lease_s"),
    [
        ("default-lease-time 600;", 600),
        ("default-lease-time 600; max-lease-time 7200;", 600),
        ("default-lease-time 60; " + SUBNET.format(inner="default-lease-time 900;"), 900),
        ("default-lease-time 600; group { default-lease-time 30; }", 600),
        ("max-lease-time 7200;", None),
        ("", None),
    ],
)
def test_the_longest_that_is_given_unasked(text: str, lease_s: int | None) -> None:
    assert read_configuration(text).lease_s == lease_s


@pytest.mark.parametrize("words", ["", "0", "-1", "60s", "600 600", "06", "{ }"])
def test_what_is_no_time_is_an_error_with_its_line(words: str) -> None:
    with pytest.raises(Malformed, match=r"^line 2: "):
        read_configuration(f"#\ndefault-lease-time {words};")


def test_a_time_that_was_read_is_what_a_drill_waits_for() -> None:
    assert longest_lease_s(facts(seen(120)), "far") == 120


@pytest.mark.parametrize(
    ("known", "guest", "said"),
    [
        (lost(error="it states no default-lease-time"), "far", "states no default-lease-time"),
        (lost(error="line 3: no statement"), "far", "line 3"),
        (seen(120), "box", "nobody looked at the DHCP server in box"),
        (seen(86_400), "far", "held away for no longer than"),
    ],
)
def test_without_one_nothing_is_proven(known: object, guest: str, said: str) -> None:
    with pytest.raises(Unproven, match=said):
        longest_lease_s(facts(known), guest)
