"""Which node of a cluster gives no answer, so that what is asked of it costs the others no time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, zip_longest
from typing import TypeVar

from blackstart.errors import DriverError, TimedOut, Unreachable

T = TypeVar("T")
_NODES = "nodes/"


def node_of(path: str) -> str:
    """The node that a path of the API is about; empty for the cluster's own."""
    return path.removeprefix(_NODES).split("/")[0] if path.startswith(_NODES) else ""


class Patience:
    """For one look: a node that has answered nothing and been silent once is not waited for again.

    One that has answered anything keeps being asked: there it is the one question that hangs, such
    as for what lies on a dead NAS. Thread-safe.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._heard = {""}
        self._silent: dict[str, DriverError] = {}

    def asking(self, path: str, ask: Callable[[], T]) -> Callable[[], T]:
        """The question, refused with the first error of its node once that is silent."""
        node = node_of(path)

        def asked() -> T:
            with self._lock:
                if node in self._silent and node not in self._heard:
                    raise self._silent[node]
            try:
                answer = ask()
            except (TimedOut, Unreachable) as error:
                with self._lock:
                    self._silent.setdefault(node, error)
                raise
            except DriverError:
                self._hear(node)
                raise
            self._hear(node)
            return answer

        return asked

    def _hear(self, node: str) -> None:
        with self._lock:
            self._heard.add(node)


def by_turns(paths: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Keys, given with their paths, so that nodes take turns: none is asked everything first."""
    lines: dict[str, list[str]] = {}
    for key, path in paths:
        lines.setdefault(node_of(path), []).append(key)
    return (key for key in chain.from_iterable(zip_longest(*lines.values())) if key is not None)
