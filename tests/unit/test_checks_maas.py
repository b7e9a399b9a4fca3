"""Every check of MAAS shown green, red, unproven, and not applicable."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from blackstart.model.facts import unread
from blackstart.model.maas_facts import MaasFacts, RackController, RackService
from tests.unit.test_plugin import ROOT, inventory_text

from .invariants.site import seen
from .maas_site import IMAGE, LAN, WELL, rack
from .test_checks_k3s import CONFTEST

QUIET = WELL.model_copy(update={"syncs_by_itself": seen(False, "maas config")})
DNS = {"dns_rack": RackService(status="dead", info="named is not running")}


def check(
    pytester: pytest.Pytester, maas: MaasFacts | None, *, declared: bool = True
) -> pytest.RunResult:
    """The checks on a site whose MAAS says that."""
    document = json.loads(inventory_text())
    document.pop("maas", None)
    if declared:
        document["maas"] = {"url": "https://10.0.0.105:5443/MAAS", "key": "env:MAAS"}
    pytester.makefile(".yaml", lab=json.dumps(document))
    facts = {"taken_at": 0.0, "maas": maas.model_dump(mode="json") if maas is not None else None}
    pytester.makeconftest(CONFTEST.format(text=json.dumps(facts)))
    source = Path(ROOT / "checks" / "test_maas.py").read_text()
    pytester.path.joinpath("test_maas.py").write_text(source)
    return pytester.runpytest_subprocess("--inventory", "lab.yaml", "-rs", timeout=120)


def test_a_healthy_maas_is_green(pytester: pytest.Pytester) -> None:
    result = check(pytester, QUIET)
    result.assert_outcomes(passed=5)
    assert result.ret == 0


def test_each_is_red_with_its_fix(pytester: pytest.Pytester) -> None:
    torn = IMAGE.model_copy(update={"complete": False})
    ill = rack("off").model_copy(update={"services": {**rack("off").services, **DNS}})
    changes: dict[str, Any] = {
        "administrator": seen(False, "maas whoami"),
        "racks": seen((ill,), "maas racks"),
        "images": seen((torn,), "maas images"),
        "syncs_by_itself": seen(True, "maas config"),
        "subnets": seen((LAN, LAN.model_copy(update={"cidr": "192.0.2.128/25"})), "maas subnets"),
    }
    result = check(pytester, WELL.model_copy(update=changes))
    result.assert_outcomes(failed=5)
    assert result.ret == 1
    result.stdout.fnmatch_lines_random(
        [
            "*the key's owner is no administrator (maas whoami); take the key of one*",
            "*dns_rack of maas is dead: named is not running; dhcpd of maas is off, and a subnet "
            "is to have its DHCP from there (maas racks); journalctl*",
            "*not whole: ubuntu/noble amd64 20260901 (maas images); import them*",
            "*overlapping: lan (192.0.2.0/24) and lan (192.0.2.128/25) (maas subnets)*",
            "*MAAS imports boot images by itself, every hour (maas config); maas ADMIN maas set*",
        ]
    )


def test_a_rack_controller_that_tells_of_no_service_is_unproven(pytester: pytest.Pytester) -> None:
    mute = rack("running").model_copy(update={"services": {}})
    nowhere = seen((), "maas subnets")
    silent = QUIET.model_copy(update={"racks": seen((mute,), "maas racks"), "subnets": nowhere})
    result = check(pytester, silent)
    result.assert_outcomes(passed=4, failed=1)
    assert result.ret == 3
    result.stdout.fnmatch_lines(["*maas racks: nobody says how any service of maas is*"])


def test_no_rack_controller_at_all_is_red(pytester: pytest.Pytester) -> None:
    result = check(pytester, QUIET.model_copy(update={"racks": seen((), "maas racks")}))
    result.assert_outcomes(passed=4, failed=1)
    result.stdout.fnmatch_lines(["*no rack controller, so nobody serves DHCP (maas racks)*"])


@pytest.mark.parametrize(
    ("maas", "said"),
    [
        (
            unread(MaasFacts, "maas GET x/", "MAAS: Connection refused"),
            "*x/: MAAS: Connection ref*",
        ),
        (None, "*nobody asked MAAS*"),
    ],
    ids=["down", "not asked"],
)
def test_what_cannot_be_read_is_unproven(
    maas: MaasFacts | None, said: str, pytester: pytest.Pytester
) -> None:
    result = check(pytester, maas)
    assert result.ret == 3
    assert "passed" not in result.parseoutcomes()
    result.stdout.fnmatch_lines([said])


@pytest.mark.parametrize(
    ("racks", "name"),
    [
        ((rack("unknown"),), "dhcpd of maas"),
        ((rack("running").model_copy(update={"services": {}}),), "dhcpd of maas"),
        ((rack("running").model_copy(update={"system_id": "zzzzzz"}),), "dhcpd of bbbbbb"),
    ],
    ids=["unknown", "no dhcpd", "another rack"],
)
def test_a_service_of_which_nobody_says_how_it_is_is_unproven(
    racks: tuple[RackController, ...], name: str, pytester: pytest.Pytester
) -> None:
    result = check(pytester, QUIET.model_copy(update={"racks": seen(racks, "racks")}))
    assert result.ret == 3
    result.stdout.fnmatch_lines([f"*racks: nobody says how {name} is*"])


def test_a_site_without_maas_is_skipped_with_the_reason(pytester: pytest.Pytester) -> None:
    result = check(pytester, None, declared=False)
    result.assert_outcomes(skipped=5)
    result.stdout.fnmatch_lines(["*the inventory declares no MAAS*"])
