"""Root's ssh to the rack's machines, with the rack's own key and known host keys."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Sequence
from ipaddress import IPv4Address

from blackstart.rack import enter
from blackstart.rack.home import Home
from blackstart.rack.topology import Guest

CONNECT_TIMEOUT_S = 10


def arguments(
    home: Home, address: IPv4Address, command: Sequence[str], *, terminal: bool = False
) -> list[str]:
    """The ssh command line, entering the rack's network when not inside it yet.

    It never asks for anything; with ``terminal`` it is for a person.
    """
    options = [
        "StrictHostKeyChecking=yes",
        "BatchMode=yes",
        "IdentitiesOnly=yes",
        "LogLevel=ERROR",
        f"UserKnownHostsFile={home.secrets / 'known_hosts'}",
        "GlobalKnownHostsFile=none",
        f"ConnectTimeout={CONNECT_TIMEOUT_S}",
        "ServerAliveInterval=5",
        "ServerAliveCountMax=4",
    ]
    words = [*enter.prefix(), "ssh", "-F", "none", "-i", str(home.secrets / "id_ed25519")]
    for option in options:
        words += ["-o", option]
    words += ["-t"] if terminal else ["-T"]
    return [*words, f"root@{address}", *(["--", *command] if command else [])]


def in_guest(guest: Guest, command: Sequence[str]) -> list[str]:
    """The command line for its hypervisor that runs a command inside a guest.

    Without a command it is a login shell. Words are joined by spaces and given
    to a shell, as ssh does it.
    """
    slices = {
        "qemu": f"qemu.slice/{guest.vmid}.scope",
        "lxc": rf"system.slice/system-pve\x2dcontainer.slice/pve-container@{guest.vmid}.service",
    }
    processes = shlex.quote(f"/sys/fs/cgroup/{slices[guest.kind]}/payload/init.scope/cgroup.procs")
    shell = ["sh", "-c", shlex.quote(" ".join(command))] if command else ["bash", "-l"]
    words = [
        f"read -r pid 2>/dev/null <{processes} ||",
        f"{{ echo 'guest {guest.name} does not run' >&2; exit 1; }};",
        'exec nsenter --all --target "$pid" -- env -i "TERM=$TERM" HOME=/root',
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin",
        *shell,
    ]
    return [" ".join(words)]


def run(
    home: Home, address: IPv4Address, script: str, timeout: float
) -> subprocess.CompletedProcess[str]:
    """Run a shell script on a machine, given on standard input.

    Raises ``subprocess.TimeoutExpired`` after ``timeout`` seconds; exit code 255
    means that there was no connection.
    """
    return subprocess.run(
        arguments(home, address, ["sh"]),
        input=script,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
