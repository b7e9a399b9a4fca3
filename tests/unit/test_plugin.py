"""What scripts rely on: exit codes, selection of targets, and that a plan touches nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from blackstart.plugin import fresh
from tests.simulation.inventories import small_site

ROOT = Path(__file__).parents[2]

CONFTEST = """
import pytest
from tests.simulation.drivers import site_of
from tests.simulation.world import Lies, World

@pytest.fixture(scope="session")
def site(inventory):
    return site_of(World(inventory, Lies({lies})))
"""

SCENARIO = """
import pytest
from blackstart.faults.reboot import power_cut, reboot
from blackstart.invariants import guests_boot

@pytest.mark.drill(fault="reboot", budget="5m")
def test_reboot(drill, node):
    with drill.fault(reboot(node)):
        drill.recovers(guests_boot(node))

@pytest.mark.drill(fault="power-cut", budget="5m")
def test_cut(drill, node):
    with drill.fault(power_cut(node)):
        drill.recovers(guests_boot(node))
"""


def inventory_text() -> str:
    """The small site as a file: durations with their units."""
    document = small_site().model_dump(mode="json", exclude_none=True, exclude_defaults=True)
    text = json.dumps(document).replace('"boot_budget": 90.0', '"boot_budget": "90s"')
    text = text.replace('"budget": 120.0', '"budget": "120s"')
    return text.replace('"hold": 5.0', '"hold": "5s"').replace('"settle": 5.0', '"settle": "5s"')


def run(
    pytester: pytest.Pytester, *args: str, lies: str = "", inventory: str | None = None
) -> pytest.RunResult:
    pytester.makefile(".yaml", lab=inventory or inventory_text())
    pytester.makeconftest(CONFTEST.format(lies=lies))
    pytester.makepyfile(test_scenarios=SCENARIO)
    pytester.syspathinsert(ROOT)
    return pytester.runpytest_subprocess("--inventory", "lab.yaml", *args, timeout=120)


def test_good_is_0_on_every_willing_node(pytester: pytest.Pytester) -> None:
    result = run(pytester, "--arm", "lab")
    result.assert_outcomes(passed=4)
    assert result.ret == 0
    assert len(list(pytester.path.glob("reports/drills/*/summary.json"))) == 4


def test_a_tour_is_one_drill_a_fault_on_different_nodes(pytester: pytest.Pytester) -> None:
    result = run(pytester, "--arm", "lab", "--tour", "-v")
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["*test_reboot?a1?*", "*test_cut?a2?*"])


def test_fail_is_1_and_outranks_unproven(pytester: pytest.Pytester) -> None:
    lies = "power_swallowed=True, never_returns=frozenset({'box'})"
    result = run(pytester, "--arm", "lab", "-k", "a1", lies=lies)
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*guests-boot?*box*"])


def test_a_fault_that_did_not_bite_is_3(pytester: pytest.Pytester) -> None:
    result = run(pytester, "--arm", "lab", "-k", "cut and a1", lies="power_swallowed=True")
    assert result.ret == 3


def test_a_refusal_is_3(pytester: pytest.Pytester) -> None:
    result = run(pytester)
    assert result.ret == 3
    result.stdout.fnmatch_lines(["*add --arm lab*"])


def test_a_tour_takes_the_first_scenario_of_a_fault_only(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_twice=SERVING.format(serving="corosync"))
    both = ("test_scenarios.py", "test_twice.py")
    result = run(pytester, *both, "--arm", "lab", "--tour", "-v")
    result.assert_outcomes(passed=2, deselected=4)
    result.stdout.no_fnmatch_line("*test_served*")


def test_no_two_drills_share_a_directory(tmp_path: Path) -> None:
    for expected in ("drill", "drill-2", "drill-3"):
        found = fresh(tmp_path / "drill")
        assert found.name == expected
        found.mkdir()


SERVING = """
import pytest
from blackstart.faults.reboot import reboot
from blackstart.invariants import guests_boot

@pytest.mark.drill(fault="reboot", budget="5m", serving="{serving}")
def test_served(drill, node):
    with drill.fault(reboot(node)):
        drill.recovers(guests_boot(node))
"""


def serving(pytester: pytest.Pytester, kind: str, inventory: str | None = None) -> pytest.RunResult:
    pytester.makepyfile(test_serving=SERVING.format(serving=kind))
    return run(pytester, "test_serving.py", "--arm", "lab", "-rs", inventory=inventory)


def test_only_what_serves_the_kind_is_drilled(pytester: pytest.Pytester) -> None:
    serving(pytester, "corosync").assert_outcomes(passed=2)


def test_what_is_not_declared_at_all_is_skipped_with_the_reason(pytester: pytest.Pytester) -> None:
    document = small_site().model_dump(mode="json", include={"site", "domain"})
    document["nodes"] = {"a1": {"address": "10.0.0.11"}}
    result = serving(pytester, "compose", json.dumps(document))
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(["*declares nothing that serves compose*"])
    assert result.ret == 3, "a run that drilled nothing proves nothing"


def test_an_unknown_kind_of_service_is_2(pytester: pytest.Pytester) -> None:
    result = serving(pytester, "tea")
    assert result.ret == 2
    result.stdout.fnmatch_lines(["*serving='tea'*"])


def test_a_guard_is_waived_by_name_with_a_reason_in_the_journal(pytester: pytest.Pytester) -> None:
    lies = "votes=2"
    assert run(pytester, "--arm", "lab", "-k", "reboot and a1", lies=lies).ret == 3
    waived = run(
        pytester, "--arm", "lab", "-k", "reboot and a1", "--waive", "quorum=ticket 12", lies=lies
    )
    assert waived.ret == 0
    journals = sorted(pytester.path.glob("reports/drills/*/journal.jsonl"))
    assert '"waived": "ticket 12"' in journals[-1].read_text()


@pytest.mark.parametrize("given", ["quorum", "quorum=", "nonsense=because", "armed=because"])
def test_a_waiver_that_cannot_be_is_2(pytester: pytest.Pytester, given: str) -> None:
    result = run(pytester, "--arm", "lab", "--waive", given)
    assert result.ret == 2
    result.stderr.fnmatch_lines([f"*guard '{given.partition('=')[0]}'*"])


@pytest.mark.parametrize("sign", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_puts_everything_back_first(pytester: pytest.Pytester, sign: str) -> None:
    pytester.makepyfile(
        test_signal=f"""
import os, signal
import pytest
from blackstart.faults.reboot import reboot
from blackstart.invariants import guests_boot

@pytest.mark.drill(fault="reboot", budget="5m")
def test_reboot(drill, node):
    with drill.fault(reboot(node)):
        os.kill(os.getpid(), signal.{sign})
        drill.recovers(guests_boot(node))
"""
    )
    result = run(pytester, "--arm", "lab", "test_signal.py", "-k", "a1")
    assert result.ret == 2  # pytest's own for an interrupted run
    (journal,) = pytester.path.glob("reports/drills/*/journal.jsonl")
    steps = journal.read_text()
    assert "fault.revert-proven" in steps
    assert "fault.closed" in steps
    assert '"verdict": "unproven"' in steps


def test_a_drill_bounds_itself(pytester: pytest.Pytester) -> None:
    """Whoever bounds all tests must not leave a fault half way: budgets are minutes long."""
    result = run(pytester, "--arm", "lab", "-k", "reboot and a1", "--timeout", "0.1")
    assert result.ret == 0


def test_a_site_that_cannot_be_reached_is_3(pytester: pytest.Pytester) -> None:
    """Nothing is known of it then: the drill was refused, and nothing has failed."""
    result = run(
        pytester, "--arm", "lab", "-k", "reboot and a1", lies="partitions={'a1': (0.0, 9e9)}"
    )
    assert result.ret == 3
    result.stdout.fnmatch_lines(["UNPROVEN*nothing was touched"])


def test_a_reference_to_nothing_is_2(pytester: pytest.Pytester) -> None:
    """Nothing has failed and nothing was looked at: the caller has to set it first."""
    pytester.makeconftest("")
    pytester.makepyfile(test_scenarios=SCENARIO)
    pytester.makefile(".yaml", lab=inventory_text())
    result = pytester.runpytest_subprocess("--inventory", "lab.yaml", "-k", "a1", timeout=120)
    assert result.ret == 2
    result.stdout.fnmatch_lines(["*known_hosts; put the file there"])


def test_a_node_of_the_sites_own_name_consents_for_itself(pytester: pytest.Pytester) -> None:
    text = inventory_text().replace('"site": "lab"', '"site": "a1"')
    document = json.loads(text)
    document["nodes"]["a2"]["may_break"] = {}
    result = run(pytester, "--arm", "a1", "--plan", "-k", "reboot", inventory=json.dumps(document))
    result.stdout.fnmatch_lines(["*may we reboot a1?*"])
    result.stdout.no_fnmatch_line("*has opted in*")


REPORTED = """
import ast, os, sys, warnings
import pytest
from blackstart.errors import Rejected, Unproven
from blackstart.redaction import remember

pytestmark = pytest.mark.check

def broken(*_, **__):
    raise SystemError("AST constructor recursion depth mismatch")

@pytest.fixture
def facts(monkeypatch):
    {body}

def test_looks(facts): ...
"""


def reported(pytester: pytest.Pytester, body: str) -> pytest.RunResult:
    pytester.makepyfile(test_reported=REPORTED.format(body=body))
    return run(pytester, "test_reported.py")


def test_our_own_errors_need_no_source_to_be_told(pytester: pytest.Pytester) -> None:
    """CPython 3.11 fails to parse it while another thread formats a traceback, as paramiko's do."""
    body = """ast.parse = broken
    raise Unproven("nobody looked") from ValueError("why")"""
    result = reported(pytester, body)
    assert result.ret == 3
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["nobody looked"])
    result.stdout.no_fnmatch_line("*Traceback*")


def test_a_report_shows_no_secret(pytester: pytest.Pytester) -> None:
    """Whatever broke: its source line, its arguments, what was printed and logged."""
    body = """remember("hunter2222")
    print("out hunter2222")
    monkeypatch.setenv("X", "hunter2222" + 1)"""
    result = reported(pytester, body)
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*TypeError*", "*out <secret>*"])
    result.stdout.no_fnmatch_line("*hunter2222*")


def test_what_a_library_warns_of_is_no_verdict(pytester: pytest.Pytester) -> None:
    """A socket that ssl loses when its peer resets it is not the site's fault."""
    pytester.makeini("[pytest]\nfilterwarnings = error::ResourceWarning")
    result = reported(pytester, 'warnings.warn(ResourceWarning("unclosed socket"))')
    result.assert_outcomes(passed=1, warnings=1)


def test_no_tests_prove_nothing(pytester: pytest.Pytester) -> None:
    assert run(pytester, "--arm", "lab", "-k", "nothing_like_it").ret == 3


def test_no_willing_target_is_unproven(pytester: pytest.Pytester) -> None:
    document = small_site().model_dump(mode="json", include={"site", "domain"})
    document["nodes"] = {"a1": {"address": "10.0.0.11"}}
    result = run(pytester, "--arm", "lab", inventory=json.dumps(document))
    assert result.ret == 3
    result.stdout.fnmatch_lines(["*has opted in*"])


def test_a_bad_inventory_is_2_with_file_and_line(pytester: pytest.Pytester) -> None:
    result = run(pytester, inventory="site: lab\nnonsense: 1\n")
    assert result.ret == 2
    result.stderr.fnmatch_lines(["*lab.yaml:2: *"])


def test_scenarios_without_an_inventory_are_2(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_scenarios=SCENARIO)
    result = pytester.runpytest_subprocess(timeout=60)
    assert result.ret == 2
    assert "--inventory" in result.stdout.str() + result.stderr.str()


def test_a_plan_shows_guards_and_leaves_no_drill(pytester: pytest.Pytester) -> None:
    result = run(pytester, "--arm", "lab", "--plan", "-k", "cut and a1")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["*armed: no objection*"])
    assert not list(pytester.path.glob("reports/drills/*"))
