"""Checks of a cluster through pytest: one finding a target, and exit codes that tell."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from blackstart.model.facts import SiteFacts
from blackstart.model.readiness import Readiness

from . import proxmox_site as well
from .invariants.site import seen
from .proxmox_cases import guest_facts, nothing_seen
from .test_plugin import ROOT

FILES = (
    *("guest_boot", "guest_volumes", "storage", "memory_headroom"),
    *("cluster", "backups", "power"),
)
CONFTEST = """
import pytest
from blackstart.model.facts import SiteFacts
from blackstart.model.readiness import Readiness

@pytest.fixture(scope="session")
def facts():
    return SiteFacts.model_validate_json({facts!r})

@pytest.fixture(scope="session")
def host_boots():
    return {{}}

@pytest.fixture(scope="session")
def readiness():
    return Readiness.model_validate_json({readiness!r})
"""


def check(
    pytester: pytest.Pytester,
    *words: str,
    facts: SiteFacts | None = None,
    readiness: Readiness | None = None,
    **changes: Any,
) -> pytest.RunResult:
    """The checks, on a site of which these are the facts."""
    pytester.makefile(".yaml", lab=json.dumps(well.document(**changes)))
    snapshot, ready = facts or well.facts(), readiness or well.readiness()
    pytester.makeconftest(
        CONFTEST.format(facts=snapshot.model_dump_json(), readiness=ready.model_dump_json())
    )
    for name in FILES:
        source = Path(ROOT / "checks" / f"test_{name}.py").read_text()
        pytester.path.joinpath(f"test_{name}.py").write_text(source)
    return pytester.runpytest_subprocess("--inventory", "lab.yaml", "-v", *words, timeout=120)


def test_a_well_site_is_green_for_every_target(pytester: pytest.Pytester) -> None:
    result = check(pytester)
    assert result.ret == 0
    outcomes = result.parseoutcomes()
    assert set(outcomes) == {"passed", "skipped"}
    assert outcomes["passed"] > 60
    result.stdout.fnmatch_lines_random(
        [
            "*test_guest_starts_with_its_node?box? PASSED*",
            "*test_guest_starts_with_its_node?far? PASSED*",
            "*test_guests_fit_their_host?a2? PASSED*",
            "*test_power_returns_by_itself?nas? PASSED*",
        ]
    )
    result.stdout.no_fnmatch_line("*[[]lab[]]*")  # a guest that is meant to be off


def test_one_ill_guest_is_one_finding(pytester: pytest.Pytester) -> None:
    off = guest_facts(onboot=seen(False, "api config"))
    result = check(pytester, "--findings", "found.json", facts=off)
    assert result.ret == 1
    assert result.parseoutcomes()["failed"] == 1
    found = json.loads(pytester.path.joinpath("found.json").read_text())
    (wrong,) = [item for item in found if item["verdict"] == "fail"]
    assert (wrong["check"], wrong["target"]) == ("guest_starts_with_its_node", "box")
    assert (wrong["severity"], wrong["breaks"]) == ("critical", "boot")
    assert wrong["fix"] == "qm set 101 --onboot 1"


OWN = """
import pytest

pytestmark = pytest.mark.check

def test_mains_are_guarded():
    supplies = {"ups": "absent"}
    assert supplies["ups"] == "online", "no supply guards the mains (upsc ups@nas)"

def test_that_breaks():
    return {}["ups"]
"""


@pytest.mark.parametrize("how", ["auto", "long", "short"])
def test_a_check_that_fails_shows_its_sentence_and_no_source(
    pytester: pytest.Pytester, how: str
) -> None:
    pytester.makepyfile(test_own=OWN)
    off = guest_facts(onboot=seen(False, "api config"))
    words = (f"--tb={how}", "-k", "starts_with_its_node or mains", "-rN")
    result = check(pytester, *words, facts=off)
    assert result.parseoutcomes()["failed"] == 2
    lines = result.outlines
    said = lines[next(at for at, line in enumerate(lines) if " FAILURES " in line) + 1 : -1]
    assert [line for line in said if not line.startswith("___")] == [
        "box would stay off (api config); qm set 101 --onboot 1",
        "no supply guards the mains (upsc ups@nas)",
        "assert 'absent' == 'online'",
        "  ",
        "  - online",
        "  + absent",
    ]


def test_a_check_that_breaks_shows_where(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_own=OWN)
    result = check(pytester, "-k", "that_breaks")
    result.stdout.fnmatch_lines([">*return {}?*ups*", "*KeyError: 'ups'"])


def test_what_nobody_could_read_is_unproven_and_nothing_passes(pytester: pytest.Pytester) -> None:
    dark = nothing_seen()
    result = check(
        pytester, "--findings", "found.json", facts=dark["facts"], readiness=dark["readiness"]
    )
    assert result.ret == 3
    found = json.loads(pytester.path.joinpath("found.json").read_text())
    seen_here = {"configuration_copy_is_off_the_cluster", "power_returns_by_itself"}
    good = {it["check"] for it in found if it["verdict"] == "pass" and not it["not_applicable"]}
    assert good <= seen_here  # what the inventory alone declares
    assert [it for it in found if it["verdict"] == "fail"] == []


def test_a_site_without_the_api_is_not_applicable(pytester: pytest.Pytester) -> None:
    nodes = well.document()["nodes"]
    plain = {name: {k: v for k, v in it.items() if k != "api"} for name, it in nodes.items()}
    result = check(pytester, "-rs", "-k", "cluster or volumes", proxmox=None, nodes=plain)
    result.stdout.fnmatch_lines(["*the inventory declares no Proxmox VE*"])
    assert "failed" not in result.parseoutcomes()


def test_no_guests_is_unproven(pytester: pytest.Pytester) -> None:
    result = check(pytester, "-k", "guest_boot", guests={}, dns=None)
    assert result.ret == 3
