"""The checks of DHCP shown green, red, unproven, and not applicable."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from blackstart.model.facts import Observed
from tests.unit.test_checks_k3s import CONFTEST
from tests.unit.test_plugin import ROOT, inventory_text

Offers = dict[str, Observed[tuple[str, ...]]]


def seen(*servers: str) -> Observed[tuple[str, ...]]:
    return Observed(source="dhcp", value=servers)


def check(
    pytester: pytest.Pytester, offers: Offers, servers: dict[str, tuple[str, str]]
) -> pytest.RunResult:
    document = json.loads(inventory_text())
    document["dhcp"] = {
        name: {"address": address, "interface": interface}
        for name, (address, interface) in servers.items()
    }
    pytester.makefile(".yaml", lab=json.dumps(document))
    told = {name: item.model_dump(mode="json") for name, item in offers.items()}
    text = json.dumps({"taken_at": 0.0, "offers": told})
    pytester.makeconftest(CONFTEST.format(text=text))
    source = Path(ROOT / "checks" / "test_dhcp.py").read_text()
    pytester.path.joinpath("test_dhcp.py").write_text(source)
    return pytester.runpytest_subprocess("--inventory", "lab.yaml", "-rs", timeout=120)


def test_the_one_that_is_declared_and_a_declared_pair_are_green(pytester: pytest.Pytester) -> None:
    offers = {"eno1": seen("10.0.0.1"), "eno2": seen("10.1.0.1", "10.1.0.2")}
    servers = {"one": ("10.0.0.1", "eno1"), "a": ("10.1.0.1", "eno2"), "b": ("10.1.0.2", "eno2")}
    result = check(pytester, offers, servers)
    result.assert_outcomes(passed=6)
    assert result.ret == 0


def test_silence_and_a_stranger_are_red_and_what_is_unknown_unproven(
    pytester: pytest.Pytester,
) -> None:
    offers = {
        "eno1": seen(),
        "eno2": seen("10.1.0.1", "10.1.0.9"),
        "eno3": Observed[tuple[str, ...]](source="dhcp eno3", error="not permitted"),
    }
    servers = {
        "silent": ("10.0.0.1", "eno1"),
        "beset": ("10.1.0.1", "eno2"),
        "dark": ("10.2.0.1", "eno3"),
        "unasked": ("10.3.0.1", "eno4"),
    }
    result = check(pytester, offers, servers)
    result.assert_outcomes(passed=2, failed=6)
    assert result.ret == 1
    result.stdout.fnmatch_lines_random(
        [
            "*silent (10.0.0.1) offers no address (dhcp); look whether it runs*",
            "*10.1.0.9 offers addresses too (dhcp); switch its DHCP off*",
            "*dhcp eno3: not permitted*",
            "*nobody asked for DHCP on eno4*",
        ]
    )
    dark = {name: servers[name] for name in ("dark", "unasked")}
    assert check(pytester, offers, dark).ret == 3


def test_a_site_without_dhcp_is_skipped_with_the_reason(pytester: pytest.Pytester) -> None:
    result = check(pytester, {}, {})
    result.assert_outcomes(skipped=2)
    result.stdout.fnmatch_lines(["*declares nothing that serves dhcp*"])
