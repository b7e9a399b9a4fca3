"""Allure while a drill runs: a step a phase; at its end the promises and the files.

Everything goes through Allure's own calls, which do nothing without ``--alluredir``.
"""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

import allure

from blackstart.errors import BlackstartError
from blackstart.evidence import story
from blackstart.evidence.story import Step
from blackstart.evidence.summary import Summary, summarise
from blackstart.model.verdict import Verdict

JUDGING = "judge"


class Unproven(Exception):
    """Marks a step as broken in Allure: neither passed nor failed."""

    __module__ = "builtins"  # Allure shows the module before the name, save for this one.


class Failed(AssertionError):
    """Marks a step as failed in Allure."""

    __module__ = "builtins"


@dataclass
class AllureObserver:
    """Observer of drills that tells the running test's Allure result."""

    _open: list[AbstractContextManager[None]] = field(default_factory=list)
    _judging: bool = False

    def phase_begin(self, phase: str, detail: str) -> None:
        """Open a step."""
        step = allure.step(f"{phase}: {detail}" if detail else phase)
        step.__enter__()
        self._open.append(step)
        self._judging = phase == JUDGING

    def phase_end(self, phase: str, detail: str) -> None:
        """Close it; with the error that interrupted it, when there is one."""
        self._judging = False
        if not self._open:
            return
        kind, error, trace = sys.exc_info()
        if error is None and detail == "interrupted":
            kind, error = Unproven, Unproven(f"{phase} was interrupted")
        self._open.pop().__exit__(kind, error, trace)

    def note(self, text: str) -> None:
        """A line under the phase; judgements come as steps of their own at the end."""
        if self._open and not self._judging:
            with allure.step(text):
                pass

    def drill_end(self, directory: Path) -> None:
        """Labels, the promises, and the files; an unreadable journal is attached as it is."""
        try:
            summary = summarise(directory)
        except BlackstartError as error:
            allure.attach(str(error), "No summary", allure.attachment_type.TEXT)
        else:
            _label(summary)
            allure.dynamic.description_html(story.description(summary, directory))
            for step in story.promises(summary):
                _tell(step)
            differences = story.differences(summary)
            if differences is not None:
                allure.attach(differences, "What differed after", allure.attachment_type.CSV)
        for item in story.exhibits(directory):
            suffix = item.path.suffix.removeprefix(".")
            allure.attach.file(str(item.path), item.name, item.mime, suffix)


def _label(summary: Summary) -> None:
    allure.dynamic.epic(story.EPIC)
    allure.dynamic.feature(summary.fault)
    allure.dynamic.story(summary.scenario.partition("[")[0])
    allure.dynamic.label(story.DRILL_LABEL, summary.id)
    # Not part of the identity by which Allure finds the same drill in past reports.
    allure.dynamic.parameter("fault", summary.fault, excluded=True)


def _tell(step: Step) -> None:
    opened = allure.step(step.title)
    opened.__enter__()
    for inner in step.steps:
        _tell(inner)
    error: Exception | None = None
    if step.verdict is Verdict.FAIL:
        error = Failed(step.message)
    elif step.verdict is Verdict.UNPROVEN:
        error = Unproven(step.message)
    opened.__exit__(type(error) if error else None, error, None)
