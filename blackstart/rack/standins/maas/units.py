"""The real services beside the API: how they are, and how they are restarted (systemctl(1))."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

PEBBLE = "snap.maas.pebble.service"
DHCPD = "maas-dhcpd.service"
NAMED = "named.service"
ASK_TIMEOUT_S = 10
RESTART_TIMEOUT_S = 60


@dataclass(frozen=True, slots=True)
class UnitState:
    """``active`` and ``sub`` as systemd says them; ``since`` as it writes times, or empty."""

    active: str
    sub: str = ""
    since: str = ""


class UnitControl(Protocol):
    """What the stand-in asks of the guest's services; every call is bounded."""

    def states(self, *units: str) -> Mapping[str, UnitState]:
        """Those of the units that could be asked for."""

    def restart(self, unit: str) -> str:
        """Restart it and wait until it runs; why it does not, empty when it does."""


class Systemd:
    """The guest's own service manager."""

    def states(self, *units: str) -> Mapping[str, UnitState]:
        """Of all units in one call: under emulation each takes a part of a second."""
        words = ["--property=Id,ActiveState,SubState,StateChangeTimestamp", *units]
        said = _systemctl("show", *words, timeout_s=ASK_TIMEOUT_S)
        found = {}
        for block in said.stdout.split("\n\n"):
            lines = (line.partition("=") for line in block.splitlines())
            shown = {name: value for name, _, value in lines}
            if {"Id", "ActiveState", "SubState"} <= shown.keys():
                since = shown.get("StateChangeTimestamp", "")
                state = UnitState(shown["ActiveState"], shown["SubState"], since)
                found[shown["Id"]] = state
        return found

    def restart(self, unit: str) -> str:
        said = _systemctl("restart", unit, timeout_s=RESTART_TIMEOUT_S)
        if said.returncode == 0:
            return ""
        return said.stderr.strip() or f"systemctl restart ended with {said.returncode}"


def _systemctl(*words: str, timeout_s: float) -> subprocess.CompletedProcess[str]:
    command = ["/usr/bin/systemctl", *words]
    try:
        return subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return subprocess.CompletedProcess(command, 1, "", str(error))
