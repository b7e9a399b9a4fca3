"""Secrets: references resolved at the moment of use, into text that never shows itself.

``env:NAME`` is an environment variable, ``file:/path`` a file that others cannot read,
``rack:NAME`` a file among the secrets of the embedded rack. Whatever was resolved as
private is known to ``blackstart.redaction``, which takes it out of what is shown again.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from pydantic import SecretStr

from blackstart.errors import UsageError
from blackstart.redaction import REDACTED, SHORTEST, remember

MAX_BYTES = 1 << 16
_WORLD = stat.S_IRWXO


class SecretText(SecretStr):
    """Text that shows as ``<secret>`` in ``str``, ``repr``, ``format`` and JSON.

    ``get_secret_value()`` gives it, at the call that needs it and nowhere else.
    """

    def _display(self) -> str:
        return REDACTED

    def __format__(self, spec: str) -> str:
        return format(REDACTED, spec)

    def __reduce__(self) -> str:
        raise TypeError("a secret is not pickled or copied to another process")


def resolve(reference: str, rack_secrets: Path | None, *, private: bool = True) -> SecretText:
    """The text that a reference stands for, without the newline at its end.

    ``rack_secrets`` is the directory that ``rack:`` names; ``None`` without a rack.
    ``private=False`` is for CA certificates and host keys, which anybody may read.
    Raises ``UsageError``, which names the reference and never the value, when it is
    missing, empty, no UTF-8, larger than 64 KiB, or private and readable by others.
    """
    scheme, name = _split(reference)
    if scheme == "env":
        if name not in os.environ:
            raise UsageError(f"{reference} is not set; export {name} before you start")
        text = os.environ[name]
    else:
        text = _content(resolve_path(reference, rack_secrets, private=private), reference)
    text = text.rstrip("\r\n")
    if not text.strip():
        raise UsageError(f"{reference} is empty; put the secret there")
    if private:
        if len(text) < SHORTEST:
            raise UsageError(f"{reference} is shorter than {SHORTEST} characters; set a longer one")
        remember(text)
    return SecretText(text)


def resolve_path(reference: str, rack_secrets: Path | None, *, private: bool = True) -> Path:
    """The file that ``file:`` or ``rack:`` stands for, for what is handed on as a file.

    Raises ``UsageError`` when it is not there, no regular file, or private and readable
    by others; and for ``env:``, which is no file.
    """
    scheme, name = _split(reference)
    if scheme == "env":
        raise UsageError(f"{reference} is no file, and a file is needed; write file:/path")
    if scheme == "rack":
        if rack_secrets is None:
            raise UsageError(f"{reference} needs the rack, which is not up: blackstart rack up")
        path = rack_secrets / name
    else:
        try:
            path = Path(name).expanduser()
        except RuntimeError as error:
            raise UsageError(f"{reference}: {error}; write the whole path") from error
    try:
        found = path.stat()
    except OSError as error:
        raise UsageError(f"{reference}: {error.strerror}: {path}; put the file there") from error
    if not stat.S_ISREG(found.st_mode):
        raise UsageError(f"{reference}: {path} is no regular file; name a file")
    if private and found.st_mode & _WORLD:
        mode = stat.S_IMODE(found.st_mode)
        raise UsageError(
            f"{reference}: {path} is open to every user (mode {mode:04o}); chmod o= {path}"
        )
    return path


def _split(reference: str) -> tuple[str, str]:
    scheme, colon, name = reference.partition(":")
    if scheme not in {"env", "file", "rack"} or not colon or not name:
        # Not quoted: what is no reference may be the secret itself.
        raise UsageError("this is no reference; write env:NAME, file:/path or rack:NAME")
    return scheme, name


def _content(path: Path, reference: str) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{reference}: {error.strerror}: {path}; check permissions") from error
    if len(content) > MAX_BYTES:
        raise UsageError(f"{reference}: {path} is larger than {MAX_BYTES} bytes; name another")
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise UsageError(f"{reference}: {path} is no UTF-8 text; name another") from None
