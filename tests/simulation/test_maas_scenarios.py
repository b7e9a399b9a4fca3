"""The shipped scenarios of MAAS, to the letter, on the simulated site of the cases."""

from __future__ import annotations

import runpy
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from blackstart.drill import Drill, DrillFailed, DrillUnproven
from blackstart.inventory_file import load
from blackstart.pytest_targets import SERVING

from .drilling import Harness
from .families import CASES
from .lies import Lies
from .world import World

ROOT = Path(__file__).parents[2]
SITE = load(CASES / "with-dhcp.yaml")
Scenario = Callable[[Drill, str], None]


def scenarios() -> dict[str, Scenario]:
    found: dict[str, Scenario] = {}
    for path in sorted(ROOT.glob("scenarios/test_maas_*.py")):
        module = runpy.run_path(str(path))
        found |= {name: it for name, it in module.items() if name.startswith("test_")}
    return found


SCENARIOS = scenarios()
TARGETS = {
    "test_maas_restart": "dns1",
    "test_maas_guest_reboot": "dns1",
    "test_dhcp_restart": "dns2",
    "test_dns_restart": "dns1",
    "test_lease_renewal": "box",
    "test_dhcp_away_for_longer_than_a_lease": "dns1",
    "test_name_server_away": "dns1",
    "test_image_sync": "dns1",
}


def run(root: Path, name: str, target: str, **lies: Any) -> Harness:
    """One scenario on one target; what it says is in the harness's journal."""
    harness = Harness(root, World(SITE, Lies(**lies)))
    with suppress(DrillFailed, DrillUnproven):
        SCENARIOS[name](harness.drill(budget_s=900.0), target)
    return harness


def reasons(harness: Harness, verdict: str) -> str:
    said = (entry.data for entry in harness.journal().of("judgement"))
    return "\n".join(
        f"{it['name']} [{it['target']}] {it['reason']}" for it in said if it["verdict"] == verdict
    )


def test_every_scenario_has_its_turn() -> None:
    assert SCENARIOS.keys() == {*TARGETS, *(ill[0] for ill in ILL)}


@pytest.mark.parametrize(("name", "target"), TARGETS.items(), ids=TARGETS)
def test_a_site_that_is_well_passes(tmp_path: Path, name: str, target: str) -> None:
    harness = run(tmp_path, name, target)
    assert harness.verdict() == "pass", harness.watcher.notes
    assert not harness.open()
    assert not harness.world.ails()


RESTARTS = [name for name in TARGETS if name.endswith(("_restart", "_guest_reboot"))]


@pytest.mark.parametrize("name", RESTARTS)
def test_after_each_restart_everybody_who_consents_renews(tmp_path: Path, name: str) -> None:
    harness = run(tmp_path, name, TARGETS[name])
    active = [entry.data for entry in harness.journal().of("fault.active")]
    assert [it["target"] for it in active] == [TARGETS[name], "box", "k1"]
    assert all("renewed: 10.0.0." in it["proof"] for it in active[1:])


KILLED = "nobody-killed [a1] the kernel of a1 killed dns1 (simulation): 200 oom-kill:"
ILL: tuple[tuple[str, str, dict[str, Any], str, str], ...] = (
    (
        "test_dhcp_restart",
        "dns2",
        {"purged": {"k1": "10.0.0.222"}},
        "fail",
        "certificate k1 is for 10.0.0.104 (simulation), not for 10.0.0.222",
    ),
    (
        "test_dhcp_away_for_longer_than_a_lease",
        "dns1",
        {"watched": frozenset({"isc-dhcp-server.service"})},
        "unproven",
        "somebody has started isc-dhcp-server.service again",
    ),
    (
        "test_dhcp_away_for_longer_than_a_lease",
        "dns2",
        {},
        "unproven",
        "nobody looked at the DHCP server in dns2",
    ),
    (
        "test_maas_guest_reboot",
        "dns1",
        {"guest_reboot_swallowed": True},
        "unproven",
        "shows no new start",
    ),
    (
        "test_lease_renewal",
        "box",
        {"swallowed": frozenset({"restart-unit"})},
        "unproven",
        "still has the invocation",
    ),
    ("test_image_sync_under_pressure", "dns1", {"import_kills": True}, "fail", KILLED),
    ("test_image_sync", "dns1", {"import_swallowed": True}, "unproven", "no import in 180 s"),
    (
        "test_image_sync",
        "dns1",
        {"import_kills": True},
        "fail",
        KILLED,
    ),
)


@pytest.mark.parametrize("ill", ILL, ids=lambda ill: f"{ill[0]}-{ill[1]}-{ill[3]}")
def test_each_says_what_is_wrong(
    tmp_path: Path, ill: tuple[str, str, dict[str, Any], str, str]
) -> None:
    name, target, lies, verdict, said = ill
    harness = run(tmp_path, name, target, **lies)
    assert harness.verdict() == verdict
    assert said in reasons(harness, verdict)
    assert not harness.open()


def test_whom_they_are_about() -> None:
    assert SERVING["maas"](SITE) == ["dns1"]
    assert SERVING["dhcp"](SITE) == ["dns1", "dns2"]
    bare = SITE.model_copy(update={"maas": None, "dhcp": {}})
    assert SERVING["maas"](bare) == SERVING["dhcp"](bare) == []
