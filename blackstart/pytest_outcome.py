"""From pytest's outcomes to the product's exit codes."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field

import pytest

from blackstart.drill import DrillFailed
from blackstart.errors import BlackstartError
from blackstart.model.verdict import Verdict


@dataclass(eq=False)
class Outcomes:
    """Tells unproven from failed, and says so in the exit code.

    What a check accepts because the owner does (``record_property("accepted", TEXT)``) is told
    at the end: it is no failure, and it must not be forgotten either.
    """

    failed: int = 0
    unproven: int = 0
    skipped: int = 0
    passed: int = 0
    accepted: list[str] = field(default_factory=list)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Count what a test ended with: an exit code of 3 in the error is unproven."""
        report = yield
        self.passed += report.passed and report.when == "call"
        self.skipped += report.skipped
        if report.when == "call":
            told = (text for name, text in report.user_properties if name == "accepted")
            self.accepted += map(str, told)
        if report.failed:
            error = call.excinfo.value if call.excinfo else None
            if isinstance(error, (BlackstartError, DrillFailed)):
                report.longrepr = str(error)  # the reasons are for a person, the trace is not
            unproven = Verdict.UNPROVEN.exit_code
            if isinstance(error, BlackstartError) and error.exit_code == unproven:
                self.unproven += 1
            else:
                self.failed += 1
        return report

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """One line for each."""
        if self.accepted:
            terminalreporter.section("accepted by the owner")
            for text in self.accepted:
                terminalreporter.write_line(text)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """0 good, 1 fail, 2 usage, 3 unproven; a run of no tests, or of skips, proves nothing."""
        only_unproven = self.unproven and not self.failed
        if exitstatus == pytest.ExitCode.TESTS_FAILED and only_unproven:
            session.exitstatus = Verdict.UNPROVEN.exit_code
        elif exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED or (
            exitstatus == pytest.ExitCode.OK and self.skipped and not self.passed
        ):
            session.exitstatus = Verdict.UNPROVEN.exit_code
        elif exitstatus == pytest.ExitCode.USAGE_ERROR:
            session.exitstatus = 2
