"""What would end a process becomes Ctrl-C, at once or where nothing is half begun."""

from __future__ import annotations

import os
import signal

import pytest

from blackstart.signals import ENDS, interrupting, undisturbed


@pytest.mark.parametrize("number", ENDS, ids=lambda number: number.name)
def test_each_is_ctrl_c_and_as_it_was_afterwards(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with interrupting():
        with pytest.raises(KeyboardInterrupt, match=f"received {number.name}"):
            os.kill(os.getpid(), number)
        assert signal.getsignal(number) is not signal.SIG_DFL
    assert signal.getsignal(number) is before


def test_a_terminal_that_nobody_wants_stays_unheard() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with interrupting():
            os.kill(os.getpid(), signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)


def test_it_waits_until_nothing_is_half_begun() -> None:
    steps: list[str] = []

    def begin() -> None:
        with undisturbed():
            os.kill(os.getpid(), signal.SIGTERM)
            steps.append("begun whole")
        steps.append("and not told")

    with interrupting():
        with pytest.raises(KeyboardInterrupt, match="received SIGTERM"):
            begin()
        with undisturbed():
            steps.append("told once")
    assert steps == ["begun whole", "told once"]
