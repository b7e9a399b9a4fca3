"""Whom TLS connections trust: the declared CA file, one pinned certificate, or the system's store.

``requests`` trusts the bundle of its ``certifi`` package by default, which knows nothing
of a CA that the owner installed on the machine, and would let ``REQUESTS_CA_BUNDLE``
decide; so a path is always given.
"""

from __future__ import annotations

import re
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
import urllib3

from blackstart.drivers.whole_answer import Limited
from blackstart.errors import Unreachable, Untrusted, UsageError

# urllib3.util.ssl_.assert_fingerprint
_ANOTHER = re.compile(r'^Fingerprints did not match\. .* got "([0-9a-f]{64})"$')

VERIFY_FAILED = "certificate verify failed"
_PRESENTED = "the certificate is not the pinned one: it has "


@dataclass(frozen=True, slots=True)
class Trust:
    """What a server's certificate is held against: one pinned SHA-256, else a CA file.

    With neither, the system's own store.
    """

    ca: Path | None = None
    fingerprint: str | None = None


class _Pinned(Limited):
    """Connections to the one certificate with this SHA-256.

    urllib3 compares it on every new connection after the handshake, before anything is sent.
    """

    def __init__(self, fingerprint: str) -> None:
        self._fingerprint = fingerprint
        super().__init__()

    def init_poolmanager(self, *args: Any, **settings: Any) -> None:
        """As ``requests`` does it, and with the fingerprint."""
        super().init_poolmanager(*args, assert_fingerprint=self._fingerprint, **settings)


def pin(session: requests.Session, fingerprint: str) -> None:
    """Have a session speak to no other certificate than the one with this SHA-256.

    Who signed it, for whom and until when is then no matter: it must be this very one.
    """
    session.verify = False  # against any CA
    session.mount("https://", _Pinned(fingerprint))


def refused_certificate(error: BaseException, section: str) -> str:
    """Why a certificate was not believed, and where the inventory says which would be."""
    words = root_cause(error)
    entry = "fingerprint" if words.startswith(_PRESENTED) else "ca"
    return f"{words}; see `{entry}:` of {section}"


def trust_store(ca: Path | None) -> str:
    """Path of the CA file or directory to verify against.

    Raises ``UsageError`` when the declared file is not there, or none is declared and
    the system has no store (``ssl.get_default_verify_paths``).
    """
    if ca is not None:
        if not ca.is_file():
            raise UsageError(f"CA file {ca} is not there; correct `ca:` in the inventory")
        return str(ca)
    paths = ssl.get_default_verify_paths()
    store = paths.cafile or paths.capath
    if store is None:
        raise UsageError("this system has no CA store; declare `ca:` in the inventory")
    return store


def unanswered(cause: str) -> type[Unreachable]:
    """``Untrusted`` when a root cause is the certificate, else ``Unreachable``."""
    return Untrusted if cause.startswith((VERIFY_FAILED, _PRESENTED)) else Unreachable


def root_cause(error: BaseException) -> str:
    """The operating system's or OpenSSL's own words at the bottom of a chain of exceptions."""
    words = str(error)
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, ssl.SSLCertVerificationError):
            return f"{VERIFY_FAILED}: {seen.verify_message}"
        another = isinstance(seen, urllib3.exceptions.SSLError) and _ANOTHER.match(str(seen))
        if another:
            return _PRESENTED + shown(another[1])
        if isinstance(seen, OSError) and seen.strerror:
            words = seen.strerror
        wrapped = seen.args[0] if seen.args and isinstance(seen.args[0], BaseException) else None
        seen = seen.__cause__ or wrapped or seen.__context__
    return words


def shown(fingerprint: str) -> str:
    """A fingerprint as openssl(1) prints it."""
    digits = fingerprint.upper()
    return ":".join(digits[at : at + 2] for at in range(0, len(digits), 2))
