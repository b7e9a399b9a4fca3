"""One fact: what was read and where, or why it could not be.

A fact that could not be read has no value, and nothing may be concluded from it.
"""

from __future__ import annotations

from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict

T = TypeVar("T")


class Record(BaseModel):
    """Base of every fact record: strict and immutable."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Observed(Record, Generic[T]):
    """A value, its source (``ssh pve1: cat /proc/...``, ``api GET ...``), or the error."""

    value: T | None = None
    source: str
    error: str | None = None

    @property
    def known(self) -> bool:
        """Whether the value was really read."""
        return self.error is None and self.value is not None


R = TypeVar("R", bound=Record)


def unread(kind: type[R], source: str, error: str) -> R:
    """A record of whose facts none could be read, each saying where and why."""
    return kind(**{name: Observed[Any](source=source, error=error) for name in kind.model_fields})
