"""The check that machines are looked at: green, red, unproven."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from blackstart.model.facts import HostFacts, Observed, unread
from tests.unit.test_checks_k3s import CONFTEST
from tests.unit.test_plugin import ROOT, inventory_text

FIRST, SECOND = "c1f9a1c0-0000-4000-8000-000000000001", "c1f9a1c0-0000-4000-8000-000000000002"
CLOSED = "a2: `ssh: none` in the inventory"


def booted(boot_id: str) -> HostFacts:
    lost = unread(HostFacts, "ssh", "not asked")
    return lost.model_copy(
        update={"boot_id": Observed[str](source="ssh a: boot_id", value=boot_id)}
    )


def check(pytester: pytest.Pytester, **hosts: HostFacts) -> pytest.RunResult:
    pytester.makefile(".yaml", lab=inventory_text())
    told = {name: host.model_dump(mode="json") for name, host in hosts.items()}
    pytester.makeconftest(CONFTEST.format(text=json.dumps({"taken_at": 0.0, "hosts": told})))
    source = Path(ROOT / "checks" / "test_visibility.py").read_text()
    pytester.path.joinpath("test_visibility.py").write_text(source)
    return pytester.runpytest_subprocess("--inventory", "lab.yaml", "-rs", timeout=120)


def test_two_machines_that_show_themselves(pytester: pytest.Pytester) -> None:
    result = check(pytester, a1=booted(FIRST), a2=booted(SECOND))
    result.assert_outcomes(passed=2)
    assert result.ret == 0


def test_one_machine_under_two_names(pytester: pytest.Pytester) -> None:
    result = check(pytester, a1=booted(FIRST), a2=booted(FIRST))
    result.assert_outcomes(failed=2)
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*a1 and a2 are one and the same machine*"])


def test_a_closed_one_and_one_nobody_looked_at_are_unproven(pytester: pytest.Pytester) -> None:
    result = check(pytester, a2=unread(HostFacts, "ssh a2", CLOSED))
    result.assert_outcomes(failed=2)
    assert result.ret == 3
    result.stdout.fnmatch_lines([f"*{CLOSED}*"])
    result.stdout.fnmatch_lines(["*nobody looked at a1*"])
