"""From pytest's outcomes to the product's exit codes."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

import pytest

from blackstart.drill import DrillFailed
from blackstart.errors import BlackstartError, UsageError
from blackstart.model.verdict import Verdict
from blackstart.redaction import redact


@dataclass(eq=False)
class Outcomes:
    """Tells failed, wrongly used and unproven apart, and says so in the exit code."""

    failed: int = 0
    usage: int = 0
    unproven: int = 0
    skipped: int = 0
    passed: int = 0

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Count what a test ended with: 3 in the error is unproven, 2 that nobody could begin.

        The innermost of these hooks, so that all others get the report without secrets.
        """
        error = call.excinfo.value if call.excinfo else None
        # A check may be written in plain pytest: then what it asserts is its sentence.
        asserted = isinstance(error, AssertionError) and item.get_closest_marker("check")
        ours = asserted or isinstance(error, (BlackstartError, DrillFailed))
        if call.excinfo is not None and error is not None and ours:
            _forget_trace(call.excinfo, error)
        report = yield
        self.passed += report.passed and report.when == "call"
        self.skipped += report.skipped
        report.sections = [(name, redact(text)) for name, text in report.sections]
        if report.failed:
            shown = redact(str(error) if ours else report.longreprtext)
            if shown != report.longreprtext:  # reasons are for a person, the trace is not
                report.longrepr = shown
            self._count(error.exit_code if isinstance(error, BlackstartError) else 1)
        return report

    def _count(self, exit_code: int) -> None:
        self.unproven += exit_code == Verdict.UNPROVEN.exit_code
        self.usage += exit_code == UsageError.exit_code
        self.failed += exit_code == Verdict.FAIL.exit_code

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """0 good, 1 fail, 2 usage, 3 unproven; a run of no tests, or of skips, proves nothing."""
        if exitstatus == pytest.ExitCode.TESTS_FAILED and not self.failed:
            if self.usage:
                session.exitstatus = UsageError.exit_code
            elif self.unproven:
                session.exitstatus = Verdict.UNPROVEN.exit_code
        elif exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED or (
            exitstatus == pytest.ExitCode.OK and self.skipped and not self.passed
        ):
            session.exitstatus = Verdict.UNPROVEN.exit_code
        elif exitstatus == pytest.ExitCode.USAGE_ERROR:
            session.exitstatus = 2


def _forget_trace(seen: pytest.ExceptionInfo[BaseException], error: BaseException) -> None:
    """Nobody will see the trace, and pytest would parse the source of each of its lines.

    In CPython 3.11 that ends the whole run when another thread formats a traceback just then,
    as paramiko's threads do ("AST constructor recursion depth mismatch").
    """
    seen.traceback = seen.traceback[:0]
    error.__cause__, error.__suppress_context__ = None, True
