"""In a run of pytest, too, whatever would end a drill half way has it revert first."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from blackstart.signals import interrupting


class Signals:
    """Installed while pytest runs, and taken away again."""

    def __init__(self) -> None:
        self._heard = ExitStack()

    def pytest_sessionstart(self) -> None:
        """From the first test on."""
        self._heard.enter_context(interrupting())

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self) -> None:
        """As it was."""
        self._heard.close()
