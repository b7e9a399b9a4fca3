"""Every check shown green, red and unproven."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.unit.test_plugin import CONFTEST, ROOT, inventory_text


def check(pytester: pytest.Pytester, lies: str, inventory: str | None = None) -> pytest.RunResult:
    pytester.makefile(".yaml", lab=inventory or inventory_text())
    pytester.makeconftest(CONFTEST.format(lies=lies))
    pytester.path.joinpath("test_guest_boot.py").write_text(
        Path(ROOT / "checks" / "test_guest_boot.py").read_text()
    )
    pytester.syspathinsert(ROOT)
    return pytester.runpytest_subprocess("--inventory", "lab.yaml", "-k", "box", timeout=120)


def test_a_healthy_site_is_green(pytester: pytest.Pytester) -> None:
    result = check(pytester, "config={'bios': 'ovmf', 'efidisk0': 'local:1/vm-1-disk-0.raw'}")
    result.assert_outcomes(passed=3)
    assert result.ret == 0


@pytest.mark.parametrize(
    ("lies", "said"),
    [
        ("not_onboot=frozenset({'box'})", "*box would stay off*qm set 102 --onboot 1*"),
        ("config={'bios': 'ovmf'}", "*box has UEFI firmware and no efidisk0*"),
        ("config={'lock': 'backup'}", "*box is locked (backup)*qm unlock 102*"),
    ],
)
def test_red_with_its_fix(pytester: pytest.Pytester, lies: str, said: str) -> None:
    result = check(pytester, lies)
    result.assert_outcomes(passed=2, failed=1)
    assert result.ret == 1
    result.stdout.fnmatch_lines([said])


def test_what_cannot_be_read_is_unproven(pytester: pytest.Pytester) -> None:
    result = check(pytester, "unreadable=frozenset({'box'})")
    result.assert_outcomes(failed=3)
    assert result.ret == 3


def test_no_guests_is_unproven(pytester: pytest.Pytester) -> None:
    document = {"site": "lab", "domain": "lab.test", "nodes": {"box": {"address": "10.0.0.11"}}}
    result = check(pytester, "", json.dumps(document))
    assert result.ret == 3
