"""Which texts are secret in this process, and how they are taken out of what is shown.

``blackstart.secrets`` says what is secret once it was resolved. A server may repeat what it
was sent (a proxy's debug page, MAAS' answer to a wrong signature), so every text of an error
goes through here.
"""

from __future__ import annotations

import json
from urllib.parse import quote

SHORTEST = 4
"""Characters. To take a shorter secret out of a text would spell it by the holes."""
REDACTED = "<secret>"

_known: set[str] = set()


def remember(secret: str) -> None:
    """Have ``redact`` take a secret out from now on, also line by line and as encoded.

    Of ``USER@REALM!ID=UUID`` the part after the first ``=`` is the secret one, and
    drivers hand it on alone. What is shorter than ``SHORTEST`` is left in.
    """
    tail = secret.partition("=")[2]
    for part in (secret, *secret.splitlines(), *([tail] if len(tail) >= 2 * SHORTEST else [])):
        if len(part) >= SHORTEST:
            _known.update({part, quote(part, safe=""), json.dumps(part)[1:-1]})


def redact(text: str) -> str:
    """``text`` with every private secret resolved so far replaced by ``<secret>``."""
    for secret in sorted(_known, key=len, reverse=True):
        text = text.replace(secret, REDACTED)
    return text
