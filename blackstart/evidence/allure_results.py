"""Allure results besides those of the running test.

What the report as a whole says (environment, categories, executor), and a result made up
from the directory of a drill whose pytest process died. Models and writer are Allure's own.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from allure_commons.logger import AllureFileLogger
from allure_commons.model2 import (
    Attachment,
    Label,
    Parameter,
    Status,
    StatusDetails,
    TestResult,
    TestStepResult,
)
from allure_commons.types import LabelType
from allure_commons.utils import md5, represent

from blackstart.evidence import story
from blackstart.evidence.directory import read_directory
from blackstart.evidence.story import Step
from blackstart.evidence.summary import Summary, summarise
from blackstart.model.verdict import Verdict

STATUS = {
    Verdict.PASS: Status.PASSED,
    Verdict.FAIL: Status.FAILED,
    Verdict.UNPROVEN: Status.BROKEN,
}
CATEGORIES = [
    {
        "name": "Refused: a guard said no, nothing was touched",
        "matchedStatuses": ["broken"],
        "messageRegex": r"[\s\S]*[Rr]efus[\s\S]*",
    },
    {
        "name": "Unproven: nothing may be concluded",
        "matchedStatuses": ["broken"],
    },
    {
        "name": "Failed: something did not come back as promised",
        "matchedStatuses": ["failed"],
    },
]
"""First match wins. Allure 3 takes the same rules from its configuration."""


def results_in(directory: Path) -> list[dict[str, Any]]:
    """Every result that a directory holds, as Allure wrote it."""
    return [json.loads(path.read_text()) for path in sorted(directory.glob("*-result.json"))]


def drills_of(results: Iterable[dict[str, Any]]) -> set[str]:
    """Ids of the drills that have a result."""
    labels = (label for result in results for label in result.get("labels", []))
    return {label["value"] for label in labels if label["name"] == story.DRILL_LABEL}


def write_metadata(results: Path, summaries: Iterable[Summary], versions: dict[str, str]) -> None:
    """``environment.properties``, ``categories.json`` and ``executor.json``."""
    results.mkdir(parents=True, exist_ok=True)
    lines = [f"{_key(name)} = {value}" for name, value in environment(summaries, versions).items()]
    (results / "environment.properties").write_text("\n".join(lines) + "\n")
    (results / "categories.json").write_text(json.dumps(CATEGORIES, indent=1))
    executor = {"name": "blackstart", "reportName": "blackstart"}
    (results / "executor.json").write_text(json.dumps(executor, indent=1))


def environment(summaries: Iterable[Summary], versions: dict[str, str]) -> dict[str, str]:
    """Which part was a stand-in and which real, and versions; of several drills together."""
    gathered: dict[str, list[str]] = {"Site": []}
    shown = list(summaries)
    for summary in shown:
        gathered["Site"].append(summary.site)
        for part in summary.parts.stand_in:
            gathered.setdefault(_short(part), []).append("stand-in")
    for summary in shown:
        for part in summary.parts.real:
            gathered.setdefault(_short(part), []).append("real")
        for name, value in summary.environment.items():
            gathered.setdefault(name, []).append(value)
    joined = {name: ", ".join(dict.fromkeys(values)) for name, values in gathered.items()}
    return {name: value for name, value in joined.items() if value} | versions


def _short(part: str) -> str:
    """What of a part's description fits the block; the drill's own page has the whole."""
    return re.split(r" \(|, | on | with ", part)[0]


def _key(name: str) -> str:
    """Escaped as Java's ``Properties`` reads keys."""
    return "".join(f"\\{mark}" if mark in " :=#!\\" else mark for mark in name)


def write_result(directory: Path, results: Path) -> None:
    """Make up the result of a drill from its directory.

    Raises ``JournalError`` when its journal cannot be read.
    """
    recorded, summary = read_directory(directory), summarise(directory)
    logger = AllureFileLogger(str(results))
    result = TestResult(uuid=str(uuid.uuid4()), name=summary.scenario)
    result.fullName = _full_name(summary.test)
    result.testCaseId = md5(result.fullName)
    parameter = _parameter(summary.test)
    # As allure-pytest reckons it, so that past and live results of a drill meet.
    result.historyId = md5(result.fullName, *([parameter] if parameter else []))
    result.titlePath = list(Path(summary.test.partition("::")[0]).parts)
    result.status = STATUS[summary.verdict]
    result.descriptionHtml = story.description(summary, directory)
    result.start, result.stop = _ms(recorded.begin.wall), _ms(recorded.last.wall)
    if summary.verdict is not Verdict.PASS:
        result.statusDetails = StatusDetails(message=summary.reason)
    result.labels = _labels(summary)
    result.parameters = [
        Parameter(name="fault", value=represent(summary.fault), excluded=True),
        Parameter(name="node", value=represent(parameter)),
    ]
    result.steps = [_step(step) for step in (*story.phases(recorded), *story.promises(summary))]
    _attach(result, summary, directory, logger)
    logger.report_result(result)


def _full_name(test: str) -> str:
    path, _, name = test.partition("::")
    module = path.removesuffix(".py").replace("/", ".")
    return f"{module}#{name.partition('[')[0]}"


def _parameter(test: str) -> str:
    return test.partition("[")[2].removesuffix("]")


def _labels(summary: Summary) -> list[Label]:
    path = summary.test.partition("::")[0]
    found = {
        LabelType.EPIC: story.EPIC,
        LabelType.FEATURE: summary.fault,
        LabelType.STORY: summary.scenario.partition("[")[0],
        LabelType.PARENT_SUITE: ".".join(Path(path).parent.parts),
        LabelType.SUITE: Path(path).stem,
        story.DRILL_LABEL: summary.id,
    }
    return [Label(name=name, value=value) for name, value in found.items()]


def _step(step: Step) -> TestStepResult:
    made = TestStepResult(name=step.title, status=STATUS[step.verdict])
    made.start, made.stop = _ms(step.began), _ms(step.ended)
    if step.message and step.verdict is not Verdict.PASS:
        made.statusDetails = StatusDetails(message=step.message)
    made.steps = [_step(inner) for inner in step.steps]
    return made


def _attach(
    result: TestResult, summary: Summary, directory: Path, logger: AllureFileLogger
) -> None:
    differences = story.differences(summary)
    if differences is not None:
        name = f"{uuid.uuid4()}-attachment.csv"
        logger.report_attached_data(differences, name)
        held = Attachment(name="What differed after", source=name, type="text/csv")
        result.attachments.append(held)
    for item in story.exhibits(directory):
        name = f"{uuid.uuid4()}-attachment{item.path.suffix}"
        logger.report_attached_file(str(item.path), name)
        result.attachments.append(Attachment(name=item.name, source=name, type=item.mime))


def _ms(wall: float | None) -> int | None:
    return None if wall is None else round(wall * 1000)
