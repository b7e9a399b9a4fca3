"""One real pytest session for all tests that look at what it told Allure."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.evidence import live_session


@pytest.fixture(scope="session")
def live_results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``reports/results`` of that session; not to be written to."""
    return live_session.run(tmp_path_factory.mktemp("live"))
