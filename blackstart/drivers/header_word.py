"""What may travel in a header of HTTP (RFC 9110, 5.5), looked at before it does.

Libraries for HTTP refuse what may not, and show the whole header in their words.
"""

from __future__ import annotations

import re

from blackstart.errors import UsageError

_WORD = re.compile(r"[!-~]+")


def header_word(text: str, what: str) -> str:
    """A secret that is printable ASCII without a blank. Raises ``UsageError``, not showing it."""
    if not _WORD.fullmatch(text):
        raise UsageError(
            f"{what} is not one word of ASCII; see whether a second line, a blank or a typographic "
            "mark went along with it"
        )
    return text
