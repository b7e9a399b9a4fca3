"""Host entries made while dhcpd runs, by its own omshell(1)."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Sequence

from .client import Refusal

OMSHELL = ("/usr/bin/omshell",)
CALL_LIMIT_S = 30
LISTENING_LIMIT_S = 15
"""systemd calls dhcpd started before it listens."""
_NOT_LISTENING = "dhcpctl_connect:"
_MADE = "hardware-type = 00:00:00:01"
"""Only dhcpd's own answer writes the number like that; until then it is as it was given."""


def add_host(
    mac: str, address: str, *, port: int, secret: str, omshell: Sequence[str] = OMSHELL
) -> None:
    """Give a MAC an address by a dynamic entry, named after the MAC as MAAS names them.

    The key travels on standard input. Raises ``Refusal`` with what omshell said when dhcpd
    did not make it, ``OSError`` when omshell cannot be run.
    """
    script = "\n".join(
        (
            "server 127.0.0.1",
            f"port {port}",
            f"key omapi_key {secret}",
            "connect",
            "new host",
            f'set name = "{mac.replace(":", "-")}"',
            f"set hardware-address = {mac}",
            "set hardware-type = 1",
            f"set ip-address = {address}",
            "create",
            "",
        )
    )
    deadline = time.monotonic() + LISTENING_LIMIT_S
    said = _run(omshell, script)
    while _NOT_LISTENING in said and time.monotonic() < deadline:
        time.sleep(0.5)
        said = _run(omshell, script)
    # It ends with 0 whatever happened.
    if _MADE not in said:
        raise Refusal(f"dhcpd made no host entry: {_why(said)}")


def _run(omshell: Sequence[str], script: str) -> str:
    try:
        done = subprocess.run(
            omshell, input=script, capture_output=True, text=True, timeout=CALL_LIMIT_S, check=False
        )
    except subprocess.TimeoutExpired:
        raise Refusal(f"omshell did not end within {CALL_LIMIT_S} s") from None
    return done.stdout + done.stderr


def _why(said: str) -> str:
    """Its first complaint; the key is not among what it repeats."""
    for line in said.splitlines():
        words = line.strip("> ")
        if words.startswith(("can't", "dhcpctl")):
            return words
    return "omshell said nothing of it"
