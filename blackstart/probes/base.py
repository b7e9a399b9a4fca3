"""What a probe is, and how its own trouble is told from its target's.

A probe that cannot ask must never look like a target that is down: a monitoring gap
that read as an outage, or hid one, is part of every past incident.
"""

from __future__ import annotations

import errno
import os
import ssl
from dataclasses import dataclass
from typing import Protocol

from blackstart.errors import ProbeBroken

OURS = frozenset(
    {
        errno.EACCES,
        errno.EADDRNOTAVAIL,
        errno.EAFNOSUPPORT,
        errno.EMFILE,
        errno.ENETDOWN,
        errno.ENETUNREACH,
        errno.ENFILE,
        errno.ENOBUFS,
        errno.ENOMEM,
        errno.EPERM,
    }
)
"""Errors (errno(3)) of the asking machine: no permission, no route, no resources."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Whether the target answered as it should; ``detail`` says how not."""

    ok: bool
    detail: str = ""


class Probe(Protocol):
    """One question to one target. Everything it holds open, ``close`` gives back."""

    @property
    def name(self) -> str:
        """Unique among the probes of a drill: ``icmp pve1``."""

    @property
    def kind(self) -> str:
        """``icmp``, ``tcp``, ``dns`` or ``http``."""

    @property
    def subject(self) -> str:
        """The full name (``blackstart.model.subjects``) of what it tells about."""

    @property
    def timeout_s(self) -> float:
        """Seconds after which no answer is an answer: down."""

    @property
    def max_rate_hz(self) -> float | None:
        """Never ask more often than this, whatever the drill's rate."""

    async def ask(self) -> Answer:
        """Ask once, within ``timeout_s`` seconds.

        Raises ``ProbeBroken`` when the trouble is this machine's and not the target's.
        """

    async def close(self) -> None:
        """Give back sockets. Safe to repeat."""


def down(error: BaseException) -> Answer:
    """The answer that an error of the target amounts to.

    Raises ``ProbeBroken`` when the error, or what caused it, is this machine's own.
    """
    cause: BaseException | None = error
    detail = str(error) or type(error).__name__
    while cause is not None:
        # An SSLError is an OSError whose number is OpenSSL's: its 1 is not EPERM.
        if isinstance(cause, OSError) and not isinstance(cause, ssl.SSLError) and cause.errno:
            if cause.errno in OURS:
                raise ProbeBroken(f"this machine cannot ask: {cause}") from error
            detail = os.strerror(cause.errno)
        cause = cause.__cause__ or cause.__context__
    return Answer(False, detail)
