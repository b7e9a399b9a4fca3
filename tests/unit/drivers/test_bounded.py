"""Calls in parallel, bounded in all: what comes back, what is left behind, what is raised."""

from __future__ import annotations

import threading
import time

import pytest

from blackstart.drivers.bounded import Abandoned, first, gather, within
from blackstart.errors import Rejected, TimedOut, Unreachable


def test_answers_come_by_key_and_in_the_order_asked() -> None:
    answers = gather({"b": lambda: 2, "a": lambda: 1}, workers=4, timeout_s=5)
    assert list(answers.items()) == [("b", 2), ("a", 1)]


def test_nothing_to_ask_is_nothing() -> None:
    assert gather({}, workers=4, timeout_s=5) == {}


def test_a_drivers_error_is_an_answer() -> None:
    def no() -> int:
        raise Rejected("no")

    answers = gather({"a": no, "b": lambda: 1}, workers=1, timeout_s=5)
    assert isinstance(answers["a"], Rejected)
    assert answers["b"] == 1


def test_a_defect_is_raised() -> None:
    def broken() -> int:
        raise KeyError("x")

    with pytest.raises(KeyError):
        gather({"a": broken}, workers=1, timeout_s=5)


def test_what_does_not_come_back_is_abandoned_and_nothing_more_is_begun() -> None:
    release, begun = threading.Event(), []
    workers: list[threading.Thread] = []

    def stuck() -> int:
        workers.append(threading.current_thread())
        release.wait(20)
        return 1

    def later() -> int:
        begun.append("later")
        return 2

    began = time.monotonic()
    answers = gather({"stuck": stuck, "later": later}, workers=1, timeout_s=0.3)
    assert time.monotonic() - began < 2
    assert all(isinstance(answer, Abandoned) for answer in answers.values())
    (worker,) = workers
    assert worker.is_alive()
    assert worker.daemon
    release.set()
    worker.join(5)
    assert begun == []


def test_no_more_workers_than_allowed() -> None:
    running: list[int] = []
    most: list[int] = []
    lock = threading.Lock()

    def call() -> None:
        with lock:
            running.append(1)
            most.append(len(running))
        time.sleep(0.02)  # so that workers meet
        with lock:
            running.pop()

    gather(dict.fromkeys(range(12), call), workers=3, timeout_s=10)
    assert max(most) <= 3


def test_within_gives_the_result_or_names_what_was_late() -> None:
    assert within(lambda: 7, timeout_s=5, what="seven") == 7
    with pytest.raises(Abandoned, match="the answer: no answer within 0 s"):
        within(lambda: threading.Event().wait(20), timeout_s=0.1, what="the answer")


def test_within_passes_the_calls_own_timeout_on() -> None:
    def late() -> int:
        raise TimedOut("late by itself")

    with pytest.raises(TimedOut, match="late by itself") as caught:
        within(late, timeout_s=5, what="x")
    assert not isinstance(caught.value, Abandoned)


def test_where_nobody_answers_each_says_why_in_the_order_asked() -> None:
    told = threading.Event()

    def refused() -> int:
        told.wait(20)  # until the other one has said so
        raise Unreachable("a: certificate verify failed")

    def silent() -> int:
        told.set()
        raise TimedOut("b: no answer within 12 s")

    with pytest.raises(Unreachable, match=r"^a: certificate verify failed; b: no answer"):
        first({"a": refused, "b": silent}, timeout_s=20)
    with pytest.raises(TimedOut, match=r"^b: no answer within 12 s$"):
        first({"b": silent}, timeout_s=20)
