"""Calls that may hang, run so that nobody waits for them longer than the bound.

The threads are daemons on purpose: ``concurrent.futures`` joins its threads when the
interpreter ends, so one call stuck in a dead peer would keep a drill from ending.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from blackstart.errors import DriverError, TimedOut, Unreachable

K = TypeVar("K")
V = TypeVar("V")


class Abandoned(TimedOut):
    """The call had not come back within the bound, and its thread was left behind."""


_Outcome = tuple[K, V | BaseException]


def gather(
    calls: Mapping[K, Callable[[], V]], *, workers: int, timeout_s: float
) -> dict[K, V | DriverError]:
    """Make all calls, at most ``workers`` at once, and wait at most ``timeout_s`` seconds in all.

    A call that raised ``DriverError`` gives that error, one that did not end in time (or
    was never begun) gives ``Abandoned``; its thread is abandoned, so a call must bound
    itself too. Any other exception is a defect and is raised here.
    """
    answers = _answers(calls, workers, timeout_s)
    late = Abandoned(f"no answer within {timeout_s:.0f} s")
    return {key: answers.get(key, late) for key in calls}


def _answers(
    calls: Mapping[K, Callable[[], V]], workers: int, timeout_s: float
) -> dict[K, V | DriverError]:
    todo: queue.SimpleQueue[tuple[K, Callable[[], V]]] = queue.SimpleQueue()
    done: queue.SimpleQueue[_Outcome[K, V]] = queue.SimpleQueue()
    over = threading.Event()
    for item in calls.items():
        todo.put(item)
    for number in range(min(workers, len(calls))):
        threading.Thread(
            target=_work, args=(todo, done, over), name=f"gather-{number}", daemon=True
        ).start()
    deadline = time.monotonic() + timeout_s
    answers: dict[K, V | DriverError] = {}
    try:
        while len(answers) < len(calls):
            key, outcome = done.get(timeout=max(deadline - time.monotonic(), 0.001))
            if isinstance(outcome, BaseException) and not isinstance(outcome, DriverError):
                raise outcome
            answers[key] = outcome
    except queue.Empty:
        return answers
    finally:
        over.set()
    return answers


def _work(
    todo: queue.SimpleQueue[tuple[K, Callable[[], V]]],
    done: queue.SimpleQueue[_Outcome[K, V]],
    over: threading.Event,
) -> None:
    while not over.is_set():
        try:
            key, call = todo.get_nowait()
        except queue.Empty:
            return
        try:
            done.put((key, call()))
        except BaseException as error:  # the caller raises it
            done.put((key, error))


def first(calls: Mapping[K, Callable[[], V]], *, timeout_s: float) -> V:
    """What the first of these calls gives that gives anything, all being made at once.

    Raises what ``together`` makes of their errors when every one raised ``DriverError``,
    ``Abandoned`` after ``timeout_s`` seconds without any.
    """
    done: queue.SimpleQueue[_Outcome[K, V]] = queue.SimpleQueue()
    for number, item in enumerate(calls.items()):
        todo: queue.SimpleQueue[tuple[K, Callable[[], V]]] = queue.SimpleQueue()
        todo.put(item)
        threading.Thread(
            target=_work, args=(todo, done, threading.Event()), name=f"first-{number}", daemon=True
        ).start()
    deadline = time.monotonic() + timeout_s
    failures: dict[K, DriverError] = {}
    while len(failures) < len(calls):
        try:
            key, outcome = done.get(timeout=max(deadline - time.monotonic(), 0.001))
        except queue.Empty:
            raise Abandoned(f"no answer within {timeout_s:.0f} s") from None
        if not isinstance(outcome, BaseException):
            return outcome
        if not isinstance(outcome, DriverError):
            raise outcome
        failures[key] = outcome
    raise together([failures[key] for key in calls])


def together(failures: Sequence[DriverError]) -> DriverError:
    """One error that says all of these: ``TimedOut`` if each is that, else ``Unreachable``."""
    if len(failures) == 1:
        return failures[0]
    kind = TimedOut if all(isinstance(it, TimedOut) for it in failures) else Unreachable
    return kind("; ".join(str(it) for it in failures))


def within(call: Callable[[], V], *, timeout_s: float, what: str) -> V:
    """The result of one call, or ``Abandoned`` naming ``what`` after ``timeout_s`` seconds."""
    answers = _answers({what: call}, 1, timeout_s)
    if what not in answers:
        raise Abandoned(f"{what}: no answer within {timeout_s:.0f} s")
    outcome = answers[what]
    if isinstance(outcome, DriverError):
        raise outcome
    return outcome
