"""A pytest plugin (``-p tests.rack.kill_at``): the harness dies at one step of its journal.

Once the step that ``BLACKSTART_KILL_AT`` names is on disk, the whole process group is sent
SIGKILL: nothing of it can tidy up. Whoever starts it gives it a process group of its own.
"""

from __future__ import annotations

import os
import signal
from typing import Any

from blackstart.safety.journal import Entry, Journal

VARIABLE = "BLACKSTART_KILL_AT"
_write = Journal.write


def _write_and_die(journal: Journal, step: str, **data: Any) -> Entry:
    entry = _write(journal, step, **data)
    if step == os.environ[VARIABLE]:
        os.killpg(os.getpgrp(), signal.SIGKILL)
    return entry


def pytest_configure() -> None:
    """From here on every journal kills."""
    Journal.write = _write_and_die  # type: ignore[method-assign,assignment]
