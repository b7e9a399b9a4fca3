"""Whom TLS connections trust: the declared CA file, else the system's own store.

``requests`` trusts the bundle of its ``certifi`` package by default, which knows nothing
of a CA that the owner installed on the machine, and would let ``REQUESTS_CA_BUNDLE``
decide; so a path is always given.
"""

from __future__ import annotations

import ssl
from pathlib import Path

from blackstart.errors import UsageError


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


def root_cause(error: BaseException) -> str:
    """The operating system's or OpenSSL's own words at the bottom of a chain of exceptions."""
    words = str(error)
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, ssl.SSLCertVerificationError):
            return f"certificate verify failed: {seen.verify_message}"
        if isinstance(seen, OSError) and seen.strerror:
            words = seen.strerror
        wrapped = seen.args[0] if seen.args and isinstance(seen.args[0], BaseException) else None
        seen = seen.__cause__ or wrapped or seen.__context__
    return words
