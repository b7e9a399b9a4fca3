"""The checks of addresses, each green, red with its fix, and unproven."""

from __future__ import annotations

import json
from typing import Any

import pytest

from .guest_addresses import MAAS
from .invariants.site import document
from .test_plugin import ROOT

CONFTEST = """
import pytest
from tests.unit.guest_addresses import *
from tests.unit.invariants.site import lost, seen

@pytest.fixture(scope="session")
def facts():
    return {facts}
"""
NOWHERE = "maas=maas(reservations=seen(()))"


def check(pytester: pytest.Pytester, facts: str, name: str, **changes: Any) -> pytest.RunResult:
    site = document(**{"maas": MAAS, "mounts": {}, "compose": {}, **changes})
    pytester.makefile(".yaml", lab=json.dumps(site))
    pytester.makeconftest(CONFTEST.format(facts=facts))
    checks = (ROOT / "checks" / "test_addresses.py").read_text()
    pytester.path.joinpath("test_addresses.py").write_text(checks)
    pytester.syspathinsert(ROOT)
    return pytester.runpytest_subprocess("--inventory", "lab.yaml", "-k", name, timeout=120)


def test_a_site_in_which_all_agree_is_green(pytester: pytest.Pytester) -> None:
    result = check(pytester, "agreeing()", "")
    result.assert_outcomes(passed=7)
    assert result.ret == 0


RED = [
    (
        "every_source",
        "with_guest('box', interfaces=seen({BOX: ('192.0.2.7',)}))",
        "*box is declared at 192.0.2.61*seen says 192.0.2.7 (read)*",
    ),
    (
        "outlives",
        "agreeing(dhcp={'far': dhcp(declared=seen(()), recorded=seen((entry(dynamic=True),)))}, "
        f"{NOWHERE})",
        "*box will move at the next dhcpd start*dynamic host entry*reserve 192.0.2.61*",
    ),
    (
        "dynamic_range",
        "agreeing(dhcp={'far': dhcp(ranges=seen((AddressRange(first=BOX_AT, last=BOX_AT),)))})",
        "*box is declared at 192.0.2.61*inside the dynamic range 192.0.2.61-192.0.2.61*shrink*",
    ),
    (
        "left_over",
        "agreeing(dhcp={'far': dhcp(leases=seen((lease(STRANGER, '192.0.2.90'),)))})",
        "*192.0.2.90 has a lease for bc:24:11:00:00:99*remove it*",
    ),
    (
        "second_server",
        "agreeing(dhcp={'far': dhcp(partners=seen(()))})",
        "*comes from far alone*add a second rack controller*",
    ),
]


@pytest.mark.parametrize(("name", "facts", "said"), RED, ids=[item[0] for item in RED])
def test_red_with_its_fix(pytester: pytest.Pytester, name: str, facts: str, said: str) -> None:
    result = check(pytester, facts, name)
    assert result.ret == 1
    assert result.parseoutcomes()["failed"] == 1
    result.stdout.fnmatch_lines([said])


LEAVE = {
    **{"check": "dhcp_has_a_second_server", "target": "home"},
    "reason": "the second arrives in spring",
}
ONE_SERVER = "agreeing(dhcp={'far': dhcp(partners=seen(()))})"


def test_one_server_that_the_owner_accepts_is_green_and_told(pytester: pytest.Pytester) -> None:
    leave = {**LEAVE, "until": "2099-12-31"}
    result = check(pytester, ONE_SERVER, "second_server", accept=[leave])
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(
        [
            "*accepted by the owner*",
            "*comes from far alone*accepted until 2099-12-31: the second arrives in spring",
        ]
    )


def test_one_server_that_was_accepted_until_yesterday_is_red(pytester: pytest.Pytester) -> None:
    leave = {**LEAVE, "until": "1969-12-31"}
    result = check(pytester, ONE_SERVER, "second_server", accept=[leave])
    result.assert_outcomes(failed=1)
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*alone*which was accepted until 1969-12-31*add a second*"])
    result.stdout.no_fnmatch_line("*accepted by the owner*")


UNPROVEN = [
    ("every_source", "with_guest('box', interfaces=lost())"),
    ("outlives", f"agreeing(dhcp={{}}, {NOWHERE})"),
    ("dynamic_range", "agreeing(dhcp={})"),
    ("left_over", "agreeing(maas=None)"),
    ("second_server", "agreeing(maas=None)"),
]


@pytest.mark.parametrize(("name", "facts"), UNPROVEN, ids=[item[0] for item in UNPROVEN])
def test_what_cannot_be_read_is_unproven(pytester: pytest.Pytester, name: str, facts: str) -> None:
    result = check(pytester, facts, name)
    assert result.ret == 3
    assert "failed" in result.parseoutcomes()


def test_a_site_without_maas_proves_nothing_of_dhcp(pytester: pytest.Pytester) -> None:
    result = check(pytester, "agreeing()", "", maas=None)
    result.assert_outcomes(passed=3, failed=1, skipped=3)
    assert result.ret == 3
    result.stdout.fnmatch_lines(["*box: what keeps it at 192.0.2.61 is not known*"])
