"""From checks to findings: what each test of ``checks/`` said, as data."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from blackstart.errors import BlackstartError, Found
from blackstart.model.applicability import reasons_of
from blackstart.model.finding import Breaks, Finding, Severity
from blackstart.model.inventory import Inventory
from blackstart.model.verdict import Verdict

FINDINGS: TypeAdapter[tuple[Finding, ...]] = TypeAdapter(tuple[Finding, ...])
"""Findings as they are kept in a file; raises ``pydantic.ValidationError`` on anything else."""


class Findings:
    """Collects a finding for each check that ran; writes them at the end if a file is named.

    What the owner accepts (``accept:`` in the inventory) is skipped with its reason and told at
    the end: it is no failure, and it must not be forgotten either.
    """

    def __init__(self, inventory: Inventory | None, file: Path | None) -> None:
        self.found: list[Finding] = []
        self._inventory = inventory
        self._file = file
        self._chosen = 0
        self._accepted: list[str] = []

    def pytest_deselected(self, items: Sequence[pytest.Item]) -> None:
        """Checks that somebody's ``-k`` or ``-m`` leaves out are to speak as well."""
        self._chosen += _checks_among(items)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Remember how many checks are to speak."""
        self._chosen += _checks_among(session.items)

    # Innermost: whoever counts outcomes sees an accepted one as what it is.
    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """One finding a check: of its body, or of the set-up that did not get there."""
        report = yield
        ended = report.when == "call" or (report.when == "setup" and not report.passed)
        if not ended or self._inventory is None or item.get_closest_marker("check") is None:
            return report
        error = call.excinfo.value if call.excinfo else None
        finding = finding_of(item, error, self._inventory.site)
        self.found.append(finding)
        today = datetime.now(UTC).date()
        told = self._leave(finding, today)
        if told is not None and report.failed:
            path, line, _ = item.location
            report.outcome, report.longrepr = "skipped", (path, line or 0, told)
            self._accepted.append(f"{finding.check} [{finding.target}]: {finding.problem}; {told}")
        return report

    def _leave(self, finding: Finding, today: date) -> str | None:
        """Why the owner lets it be, ``None`` when they do not."""
        if self._inventory is None:
            return None
        declared = reasons_of(self._inventory).get(finding.key)
        if declared is not None:
            return f"not applicable: {declared}"
        leave = finding.accepted_by(self._inventory.accept, today)
        return None if leave is None else f"accepted until {leave.until}: {leave.reason}"

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """One line for each that is accepted."""
        if self._accepted:
            terminalreporter.section("accepted by the owner")
            for text in self._accepted:
                terminalreporter.write_line(text)

    def pytest_sessionfinish(self) -> None:
        """Write what was found, whole or not at all: a part of the checks proves nothing."""
        if self._file is not None and len(self.found) == self._chosen:
            part = self._file.with_name(self._file.name + ".part")
            part.write_bytes(FINDINGS.dump_json(tuple(self.found), indent=1) + b"\n")
            part.replace(self._file)


def _checks_among(items: Sequence[pytest.Item]) -> int:
    return sum(item.get_closest_marker("check") is not None for item in items)


def finding_of(item: pytest.Item, error: BaseException | None, site: str) -> Finding:
    """What a check said, by how it ended.

    A check that does not say what it would break (``@pytest.mark.claim``) may break anything.
    """
    marker = item.get_closest_marker("claim")
    given = marker.kwargs if marker else {}
    said: dict[str, Any] = {
        "check": getattr(item, "originalname", item.name).removeprefix("test_"),
        "target": _target(item, site),
        "severity": Severity(given.get("severity", Severity.CRITICAL)),
        "breaks": Breaks(given.get("breaks", Breaks.BOOT)),
        "incident": given.get("incident"),
        "claim": _claim(item),
    }
    if error is None:
        return Finding(verdict=Verdict.PASS, **said)
    if isinstance(error, pytest.skip.Exception):
        return Finding(verdict=Verdict.PASS, not_applicable=error.msg, **said)
    if isinstance(error, Found):
        return Finding(
            verdict=Verdict.FAIL,
            problem=error.problem,
            evidence=error.evidence,
            fix=error.fix,
            touches=error.touches,
            **said,
        )
    if isinstance(error, AssertionError):  # somebody's own check, in plain pytest
        return Finding(verdict=Verdict.FAIL, problem=str(error), **said)
    # A check that breaks has seen nothing: that is no pass, and no fail of the site either.
    reason = str(error) if isinstance(error, BlackstartError) else f"the check broke: {error!r}"
    return Finding(verdict=Verdict.UNPROVEN, problem=reason, **said)


def _target(item: pytest.Item, site: str) -> str:
    """The host, guest, mount or store that a check was parametrised with, else the site.

    Another plugin's own parameter is none: testinfra has one for whatever is called ``host``, and
    which of the two comes first is the order in which they were installed.
    """
    callspec = getattr(item, "callspec", None)
    given = callspec.params.items() if callspec else ()
    values = [value for name, value in given if value and not name.startswith("_")]
    return str(values[0]) if values else site


def _claim(item: pytest.Item) -> str:
    doc = getattr(getattr(item, "function", None), "__doc__", None) or ""
    return " ".join(doc.split())
