"""``blackstart verify`` as a person types it, on simulated sites; and ``explain``."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from blackstart.cli_verify import CHECKS, checks_directory, own_checks
from blackstart.errors import UsageError
from tests.unit.test_plugin import CONFTEST, ROOT, inventory_text

BOUND_S = 120


@dataclass
class Home:
    """A directory like a checkout: checks, a conftest with a simulated site, an inventory."""

    path: Path
    package: Path = ROOT
    """Where blackstart itself is imported from."""

    def site(self, lies: str = "", inventory: str | None = None) -> None:
        self.path.joinpath("conftest.py").write_text(CONFTEST.format(lies=lies))
        self.path.joinpath("lab.yaml").write_text(inventory or inventory_text())

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        paths = os.pathsep.join((str(self.package), str(ROOT)))  # the simulated site is of tests/
        environment = os.environ | {"PYTHONPATH": paths, "NO_COLOR": "1", "COLUMNS": "100"}
        return subprocess.run(
            [sys.executable, "-m", "blackstart", *words],
            cwd=self.path,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=BOUND_S,
            check=False,
        )

    def verify(self, *words: str) -> subprocess.CompletedProcess[str]:
        return self.run("verify", "--inventory", "lab.yaml", *words)

    def document(self, *words: str) -> dict[str, Any]:
        self.verify("--json", "out.json", *words)
        document: dict[str, Any] = json.loads(self.path.joinpath("out.json").read_text())
        return document


@pytest.fixture
def home(tmp_path: Path) -> Home:
    checks = tmp_path / "checks"
    checks.mkdir()
    checks.joinpath("test_guest_boot.py").write_text(
        ROOT.joinpath("checks/test_guest_boot.py").read_text()
    )
    return Home(tmp_path)


def test_a_healthy_site_is_go(home: Home) -> None:
    home.site()
    done = home.verify("--before", "reboot:a1")
    assert done.returncode == 0, done.stderr
    first, *rest = done.stdout.splitlines()
    assert first.startswith("GO        reboot:a1 on lab: 20 claims hold")
    assert any(line.startswith("down      for how long is not known") for line in rest)


def test_no_go_names_the_guest_its_evidence_and_its_fix(home: Home) -> None:
    home.site("not_onboot=frozenset({'box'})")
    done = home.verify("--before", "reboot:a1")
    assert done.returncode == 1
    assert done.stdout.startswith("NO-GO")
    assert "#1 guest_starts_with_its_node [box]: box would stay off" in done.stdout
    assert "fix: qm set 102 --onboot 1" in done.stdout
    elsewhere = home.verify("--before", "reboot:a2")
    assert (elsewhere.returncode, elsewhere.stdout[:2]) == (0, "GO")
    assert "elsewhere 1 more that this act does not touch" in elsewhere.stdout


def test_json_says_the_same(home: Home) -> None:
    home.site("not_onboot=frozenset({'box'})")
    document = home.document()
    assert document["decision"] == "no-go"
    (wrong,) = (item for item in document["findings"] if item["verdict"] == "fail")
    assert {
        **{"check": "guest_starts_with_its_node", "target": "box", "severity": "critical"},
        **{"blocks_boot": True, "incident": "2026-04-13-nas-mounts-after-power-loss"},
        **{"fix": "qm set 102 --onboot 1", "number": 1},
    }.items() <= wrong.items()
    assert wrong["evidence"]


def test_what_cannot_be_read_is_unproven_for_acts_that_touch_it(home: Home) -> None:
    home.site("unreadable=frozenset({'box'})")
    done = home.verify("--before", "reboot:a1")
    assert (done.returncode, done.stdout.split()[0]) == (3, "UNPROVEN")
    assert home.verify("--before", "reboot:a2").returncode == 0


def test_what_is_new_since_last_time(home: Home) -> None:
    home.site()
    assert "first time here" in home.verify().stdout
    home.site("not_onboot=frozenset({'box'})")
    news = "new       since last time: guest_starts_with_its_node [box]"
    assert news in home.verify().stdout
    assert "new       nothing since last time" in home.verify().stdout


def test_an_accepted_ill_is_shown_with_its_end(home: Home) -> None:
    document = json.loads(inventory_text())
    entry = {"check": "guest_starts_with_its_node", "target": "box", "reason": "on loan"}
    document["accept"] = [{**entry, "until": "2099-12-31"}]
    home.site("not_onboot=frozenset({'box'})", json.dumps(document))
    done = home.verify()
    assert done.returncode == 0
    assert "accepted  guest_starts_with_its_node [box] (until 2099-12-31: on loan)" in done.stdout
    document["accept"] = [{**entry, "until": "2020-12-31"}]
    home.site("not_onboot=frozenset({'box'})", json.dumps(document))
    late = home.verify()
    assert late.returncode == 1
    assert "acceptance_has_not_expired [box]" in late.stdout


def test_explain_shows_one_finding_whole(home: Home) -> None:
    home.site("not_onboot=frozenset({'box'})")
    home.verify()
    done = home.run("explain", "--inventory", "lab.yaml", "1")
    assert done.returncode == 0
    for word in ("FAIL", "claim", "problem", "evidence", "fix", "incident", "breaks"):
        assert any(line.startswith(word) for line in done.stdout.splitlines()), word
    missing = home.run("explain", "--inventory", "lab.yaml", "99")
    assert (missing.returncode, missing.stderr) == (
        2,
        "blackstart: there is no finding 99; the last run has 1 to 32\n",
    )


def test_a_check_that_breaks_has_seen_nothing(home: Home) -> None:
    home.site()
    home.path.joinpath("checks/test_own.py").write_text(
        "import pytest\n@pytest.mark.check\ndef test_own():\n    '''Own.'''\n    1 / 0\n"
    )
    done = home.verify()
    assert done.returncode == 3
    assert "own [lab]: the check broke: ZeroDivisionError" in done.stdout


def test_a_run_that_broke_off_proves_nothing(home: Home) -> None:
    home.site()
    home.path.joinpath("checks/test_an_early_one.py").write_text(
        "import pytest\n@pytest.mark.check\ndef test_own():\n"
        '    """Own."""\n    pytest.exit(\'enough\', returncode=0)\n'
    )
    done = home.verify()
    assert (done.returncode, "the checks said nothing" in done.stderr) == (3, True), done.stdout


def test_checks_that_were_left_out_prove_nothing(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.site("not_onboot=frozenset({'box'})")
    monkeypatch.setenv("PYTEST_ADDOPTS", "-k uefi")
    done = home.verify()
    assert (done.returncode, "deselected" in done.stderr) == (3, True), done.stdout


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"findings": 1}'])
def test_a_file_that_is_no_decision_is_told(home: Home, text: str) -> None:
    kept = home.path / "reports/verify/lab.json"
    kept.parent.mkdir(parents=True)
    kept.write_text(text)
    home.site()
    done = home.run("explain", "--inventory", "lab.yaml", "1")
    assert (done.returncode, "lab.json: " in done.stderr) == (2, True), done.stderr
    assert done.stderr.endswith("; delete it\n")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--before", "reboot:zz"), "there is no node 'zz'; write reboot: and one of a1, a2"),
        (("--before", "lunch"), "'lunch' is no act"),
    ],
)
def test_a_wrong_act_is_refused(home: Home, words: tuple[str, ...], said: str) -> None:
    home.site()
    done = home.verify(*words)
    assert (done.returncode, said in done.stderr) == (2, True)


def test_what_is_declared_not_applicable_is_shown_and_forbids_nothing(home: Home) -> None:
    entry = {
        "check": "guest_starts_with_its_node",
        "targets": ["box"],
        "reason": "somebody starts it by hand",
    }
    document = json.loads(inventory_text()) | {"not_applicable": [entry]}
    home.site("not_onboot=frozenset({'box'})", json.dumps(document))
    done = home.verify()
    assert done.returncode == 0, done.stdout + done.stderr
    line = "n/a       guest_starts_with_its_node [box]: somebody starts it by hand"
    assert line in done.stdout.splitlines()


def test_an_owners_own_checks_come_before_those_of_the_checkout(tmp_path: Path) -> None:
    own, shipped = tmp_path / "checks", ROOT / "checks"
    assert CHECKS[-1] == shipped
    assert checks_directory((own, *CHECKS[1:])) == shipped
    own.mkdir()
    assert checks_directory((own, *CHECKS[1:])) == own


def test_a_decision_on_an_owners_own_checks_alone_says_so(home: Home) -> None:
    own = home.path / "checks"
    own.joinpath("test_guest_boot.py").unlink()
    own.joinpath("test_own.py").write_text(
        "import pytest\n@pytest.mark.check\ndef test_own():\n    '''Own.'''\n"
    )
    home.site("not_onboot=frozenset({'box'})")  # which they do not look for
    done = home.verify("--json", "out.json")
    assert done.stdout.startswith("GO        any act on lab: 1 claims hold")
    line = f"checks    those of {own} alone, and none of blackstart's own"
    assert line in done.stdout.splitlines()
    assert json.loads(home.path.joinpath("out.json").read_text())["own_checks"] == str(own)


def test_the_checks_of_blackstart_are_nobodys_own() -> None:
    assert [own_checks(directory) for directory in CHECKS[1:]] == [None, None]


def test_checks_are_installed_where_they_are_looked_for() -> None:
    """Without a checkout they are found only if the wheel has them at that very place."""
    project = tomllib.loads(ROOT.joinpath("pyproject.toml").read_text())
    placed = project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    assert CHECKS[1] == ROOT / placed["checks"]
    assert not CHECKS[1].exists(), "a second copy in the checkout would hide the first"


def test_an_installed_package_has_its_checks_with_it(home: Home, tmp_path: Path) -> None:
    """From an empty folder, with no checkout beside it."""
    installed = tmp_path / "site-packages" / "blackstart"
    compiled = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "blackstart", installed, ignore=compiled)
    home.site()
    home.path.joinpath("checks").rename(installed / "checks")
    home.path.joinpath("conftest.py").rename(installed / "checks" / "conftest.py")
    home.path.joinpath("lab.yaml").rename(tmp_path / "site.yaml")
    empty = tmp_path / "empty"
    empty.mkdir()
    done = Home(empty, installed.parent).run("verify", "--inventory", "../site.yaml")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("GO        any act on lab: 20 claims hold")
    assert "\nchecks " not in done.stdout


def test_without_checks_it_says_where_to_run(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no checks/ here"):
        checks_directory((tmp_path / "checks", tmp_path / "elsewhere"))


REFERENCE = """
from blackstart.errors import UsageError

@pytest.fixture(scope="session")
def site(inventory):
    raise UsageError("env:NO_SUCH is not set; export NO_SUCH before you start")
"""


def test_a_mistake_that_keeps_every_check_from_beginning_is_told_once(home: Home) -> None:
    home.site()
    with home.path.joinpath("conftest.py").open("a") as conftest:
        conftest.write(REFERENCE)
    done = home.verify()
    assert done.returncode == 2
    assert done.stderr == ("blackstart: env:NO_SUCH is not set; export NO_SUCH before you start\n")


def test_json_for_a_program_is_all_there_is_on_standard_output(home: Home) -> None:
    home.site()
    done = home.verify("--json", "-")
    assert json.loads(done.stdout)["decision"] == "go"
    assert done.stderr.startswith("GO")
    assert not home.path.joinpath("-").exists()


def test_a_directory_that_keeps_nothing_keeps_no_decision_from_its_file(home: Home) -> None:
    home.site()
    home.path.joinpath("reports").write_text("a file, where a directory is to be made")
    done = home.verify("--json", "out.json")
    assert (done.returncode, done.stdout[:2], done.stderr.count("\n")) == (2, "GO", 1)
    assert json.loads(home.path.joinpath("out.json").read_text())["decision"] == "go"


def test_a_file_that_cannot_be_written_keeps_explain_from_nothing(home: Home) -> None:
    home.site()
    done = home.verify("--json", "missing/out.json")
    assert (done.returncode, done.stdout[:2], done.stderr.count("\n")) == (2, "GO", 1)
    assert home.path.joinpath("reports/verify/lab.json").exists()
