"""Render Allure results into a report: ``reports/results`` to ``reports/html``."""

from __future__ import annotations

import json
import platform
import shutil
import tempfile
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from blackstart.evidence import allure_program
from blackstart.evidence.allure_program import ALLURE_VERSION, RENDER_TIMEOUT_S, NoReport
from blackstart.evidence.allure_results import (
    CATEGORIES,
    drills_of,
    results_in,
    write_metadata,
    write_result,
)
from blackstart.evidence.files import write_files
from blackstart.evidence.summary import Summary, summarise
from blackstart.safety.journal import FILE_NAME as JOURNAL

NAME = "blackstart"
HISTORY = "history.jsonl"
HISTORY_LIMIT = 100
MOST_DRILLS = 30
LIBRARIES = ("blackstart", "pytest", "allure-pytest")


def render(
    results: Path,
    drills: Path | None = None,
    out: Path | None = None,
    *,
    single_file: bool = True,
) -> Path:
    """Render, and return the report's ``index.html``.

    ``drills`` and ``out`` are by default next to ``results``, as is ``history.jsonl``,
    from which the trends over past reports come. A drill below ``drills`` that has no
    result, because its pytest died, gets one made up. ``single_file`` makes a report that
    opens from disk; else it is a folder for a web server.

    Raises ``NoReport`` when there is nothing to show or Allure cannot be had.
    """
    home = results.resolve().parent
    drills, out = drills or home / "drills", (out or home / "html").resolve()
    with tempfile.TemporaryDirectory(prefix="blackstart-report-") as aside:
        made_up = Path(aside) / "made-up"
        made_up.mkdir()
        shown = _gather(results, drills, made_up)
        sources = [path for path in (results.resolve(), made_up) if results_in(path)]
        if not sources:
            raise NoReport(f"nothing to show: no results in {results}, no drills in {drills}")
        write_metadata(sources[0], shown, versions())
        config = Path(aside) / "allurerc.json"
        fresh = Path(aside) / "html"
        history = home / HISTORY
        again = _shown_before(history, sources)
        config.write_text(json.dumps(_configuration(history, single_file, again), indent=1))
        _generate(sources, config, fresh, Path(aside))
        _put(fresh, out)
    return out / "index.html"


def versions() -> dict[str, str]:
    """Of this machine's part in the drill."""
    found = {name: version(name) for name in LIBRARIES}
    return found | {"Python": platform.python_version(), "Allure": ALLURE_VERSION}


def _gather(results: Path, drills: Path, made_up: Path) -> list[Summary]:
    """Summaries of what the report shows; drills without a result get one.

    With results there, only drills as new as they are belong to the same run; without
    any, the report is of the last ``MOST_DRILLS`` drills.
    """
    given = results_in(results)
    known = drills_of(given)
    oldest = min((result["start"] // 1000 for result in given), default=0)
    shown: list[Summary] = []
    for directory in sorted(path.parent for path in drills.glob(f"*/{JOURNAL}"))[-MOST_DRILLS:]:
        summary = summarise(directory)
        if directory.name in known:
            shown.append(summary)
        elif datetime.fromisoformat(summary.started).timestamp() >= oldest:
            shown.append(write_files(directory))
            write_result(directory, made_up)
    return shown


def _configuration(history: Path, single_file: bool, again: bool) -> dict[str, Any]:
    options: dict[str, Any] = {
        "reportName": NAME,
        "singleFile": single_file,
        "reportLanguage": "en",
        "groupBy": ["feature", "story"],
    }
    return {
        "name": NAME,
        "historyPath": str(history),
        "historyLimit": HISTORY_LIMIT,
        "appendHistory": not again,
        "categories": CATEGORIES,
        "plugins": {"awesome": {"options": options}},
    }


def _shown_before(history: Path, sources: list[Path]) -> bool:
    """Whether the last report in the history was of these very results.

    Rendering the same results twice must not count twice in the trends.
    """
    lines = history.read_text().splitlines() if history.exists() else []
    last = json.loads(lines[-1])["testResults"].values() if lines else ()
    newest = max(result["start"] for source in sources for result in results_in(source))
    return newest in {item["start"] for item in last}


def _generate(sources: list[Path], config: Path, out: Path, cwd: Path) -> None:
    node = allure_program.find_node()
    program = allure_program.installed(node, allure_program.cache_directory())
    options = ["--config", str(config), "--output", str(out), "--cwd", str(cwd)]
    command = [str(node.node), str(program), "generate", *options, *map(str, sources)]
    allure_program.run(command, RENDER_TIMEOUT_S, cwd=cwd)
    if not (out / "index.html").exists():
        raise NoReport(f"Allure {ALLURE_VERSION} ended well and wrote no index.html")


def _put(fresh: Path, out: Path) -> None:
    """In place of the last report, which stays when anything failed before."""
    out.parent.mkdir(parents=True, exist_ok=True)
    arriving = out.with_name(f".{out.name}.new")
    shutil.rmtree(arriving, ignore_errors=True)
    shutil.copytree(fresh, arriving)
    if out.exists():
        shutil.rmtree(out)
    arriving.rename(out)
