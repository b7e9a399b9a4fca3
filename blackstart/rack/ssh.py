"""Root's ssh to the rack's machines, with the rack's own key and known host keys."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from ipaddress import IPv4Address

from blackstart.rack import enter
from blackstart.rack.home import Home

CONNECT_TIMEOUT_S = 10


def arguments(home: Home, address: IPv4Address, command: Sequence[str]) -> list[str]:
    """The ssh command line, entering the rack's network when not inside it yet.

    With a command it never asks and has no terminal; without one it is a login.
    """
    options = [
        "StrictHostKeyChecking=yes", "BatchMode=yes", "IdentitiesOnly=yes", "LogLevel=ERROR",
        f"UserKnownHostsFile={home.secrets / 'known_hosts'}", "GlobalKnownHostsFile=none",
        f"ConnectTimeout={CONNECT_TIMEOUT_S}", "ServerAliveInterval=5", "ServerAliveCountMax=4",
    ]
    words = [*enter.prefix(), "ssh", "-F", "none", "-i", str(home.secrets / "id_ed25519")]
    for option in options:
        words += ["-o", option]
    words += ["-T"] if command else ["-t"]
    return [*words, f"root@{address}", *(["--", *command] if command else [])]


def run(
    home: Home, address: IPv4Address, script: str, timeout: float
) -> subprocess.CompletedProcess[str]:
    """Run a shell script on a machine, given on standard input.

    Raises ``subprocess.TimeoutExpired`` after ``timeout`` seconds; exit code 255
    means that there was no connection.
    """
    return subprocess.run(
        arguments(home, address, ["sh"]),
        input=script, capture_output=True, text=True, timeout=timeout, check=False,
    )
