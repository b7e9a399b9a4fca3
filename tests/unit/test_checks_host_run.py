"""The checks of hosts as pytest runs them: once a host, on what one look at the site gave."""

from __future__ import annotations

import json
import shutil

import pytest

from blackstart.model.subjects import hosts_asked
from blackstart.pytest_checks import FINDINGS
from tests.simulation.inventories import small_site

from .host_boots import SUBJECTS, checks, well
from .invariants.site import document
from .test_plugin import ROOT, inventory_text

CONFTEST = """
import pytest
from blackstart.model.facts import SiteFacts
from blackstart.drivers.triage import Triage
from blackstart.model.host_boot import HostBootFacts

class Site:
    readiness = None
    greetings = {{}}
    triage = Triage()

    def __init__(self, inventory):
        self.inventory = inventory

    def facts(self):
        return SiteFacts(taken_at=0.0)

    def host_boots(self):
        return {{"a1": HostBootFacts.model_validate_json({facts!r})}}

@pytest.fixture(scope="session")
def site(inventory):
    return Site(inventory)
"""


def test_every_check_asks_every_host_once(pytester: pytest.Pytester) -> None:
    guests = document()["guests"]
    guests["box"]["ssh"] = True
    pytester.makefile(".yaml", lab=json.dumps(document(guests=guests)))
    pytester.makeconftest(CONFTEST.format(facts=well().model_dump_json()))
    for subject in SUBJECTS:
        shutil.copy(ROOT / "checks" / f"{subject}.py", pytester.path)
    pytester.syspathinsert(ROOT)
    words = ("--inventory", "lab.yaml", "--findings", "found.json", "-q")
    result = pytester.runpytest_subprocess(*words, timeout=300)
    assert result.ret == 3  # the others of the site were not looked at
    found = FINDINGS.validate_json((pytester.path / "found.json").read_bytes())
    by_target: dict[str, set[str]] = {}
    for item in found:
        by_target.setdefault(item.target, set()).add(item.check)
        assert item.claim.endswith(".")
        looked_at = item.target == "a1" or item.not_applicable is not None
        assert item.verdict == ("pass" if looked_at else "unproven"), item
    assert by_target["a1"] == {*checks()}
    assert by_target["a2"] == by_target["nas"] == {*checks()}
    assert by_target["box"] < {*checks()}
    assert "lab" not in by_target


LAST_INSTALLED = """
import pytest
import testinfra.plugin

def pytest_configure(config):
    # What was registered last stands last, and is called first.
    called = config.hook.pytest_generate_tests._hookimpls
    called.sort(key=lambda implementation: implementation.plugin is testinfra.plugin)
"""


def test_a_target_is_ours_whichever_plugin_was_installed_first(pytester: pytest.Pytester) -> None:
    """testinfra gives a parameter of its own to whatever asks for ``host``."""
    hosts = [*hosts_asked(small_site())]
    pytester.makefile(".yaml", lab=inventory_text())
    pytester.makeconftest(LAST_INSTALLED)
    pytester.makepyfile(
        "import pytest\n@pytest.mark.check\ndef test_own(host):\n    '''Own.'''\n    assert host\n"
    )
    words = ("--inventory", "lab.yaml", "--findings", "found.json", "-v")
    result = pytester.runpytest_subprocess(*words, timeout=300)
    result.stdout.fnmatch_lines([f"*test_own[[]local-{hosts[0]}[]]*"])
    found = FINDINGS.validate_json((pytester.path / "found.json").read_bytes())
    assert [item.target for item in found] == hosts
