"""The guests' bodies: who starts, stops and observes them.

The stand-in speaks to them through this protocol only; on the rack it is the
program ``/usr/lib/blackstart-rack/guest``, in tests a dictionary.
"""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from .errors import Died

START_TIMEOUT_S = 60
START_POLL_S = 0.5
STOP_TIMEOUT_S = 30
OBSERVE_TIMEOUT_S = 20
SHUTDOWN_MARGIN_S = 15


@dataclass(frozen=True, slots=True)
class Vitals:
    """A guest at this moment: uptime in seconds, memory in bytes."""

    running: bool
    pid: int | None = None
    uptime_s: int = 0
    memory_bytes: int = 0


STOPPED = Vitals(running=False)


class GuestRuntime(Protocol):
    """What the stand-in asks of the guests; every call is bounded."""

    def vitals(self) -> Mapping[int, Vitals]:
        """All guests known to this node; one that is missing is stopped."""

    def start(self, vmid: int) -> None:
        """Start the guest's process; raises ``Died`` with the reason when it does not run."""

    def stop(self, vmid: int) -> None:
        """Kill the guest; raises ``Died`` when it survives."""

    def shutdown(self, vmid: int, timeout_s: int) -> bool:
        """Ask the guest to power off; False when it still runs after ``timeout_s``."""

    def interfaces(self, vmid: int) -> list[dict[str, Any]]:
        """``ip -j -s addr`` from inside the guest; raises ``Died`` when it cannot be had."""

    def agent_answers(self, vmid: int) -> bool:
        """Whether the guest's agent would answer, which it does once the guest has booted."""


class ProgramRuntime:
    """Guests behind an executable; see the protocol for what each verb means."""

    def __init__(self, program: Path) -> None:
        self._program = program

    def vitals(self) -> Mapping[int, Vitals]:
        answer = self._call(OBSERVE_TIMEOUT_S, "status")
        return {
            int(vmid): Vitals(
                running=state["status"] == "running",
                pid=state.get("pid"),
                uptime_s=int(state.get("uptime") or 0),
                memory_bytes=int(state.get("mem") or 0),
            )
            for vmid, state in _parsed(answer).items()
        }

    def start(self, vmid: int) -> None:
        answer = self._call(START_TIMEOUT_S, "start", str(vmid))
        if answer.returncode != 0:
            raise Died(f"start failed: {_reason(answer)}")
        # The program returns once it has spawned; the vendor's task ends once it runs.
        deadline = time.monotonic() + START_TIMEOUT_S
        while not self.vitals().get(vmid, STOPPED).running:
            if time.monotonic() > deadline:
                raise Died("start failed: QEMU exited with code 1")
            time.sleep(START_POLL_S)

    def stop(self, vmid: int) -> None:
        answer = self._call(STOP_TIMEOUT_S, "stop", str(vmid))
        if answer.returncode != 0:
            raise Died(_reason(answer))

    def shutdown(self, vmid: int, timeout_s: int) -> bool:
        bound = timeout_s + SHUTDOWN_MARGIN_S
        return self._call(bound, "shutdown", str(vmid), str(timeout_s)).returncode == 0

    def interfaces(self, vmid: int) -> list[dict[str, Any]]:
        answer = self._call(OBSERVE_TIMEOUT_S, "interfaces", str(vmid))
        interfaces: list[dict[str, Any]] = _parsed(answer)
        return interfaces

    def agent_answers(self, vmid: int) -> bool:
        return self._call(OBSERVE_TIMEOUT_S, "agent", str(vmid)).returncode == 0

    def _call(self, timeout_s: int, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [str(self._program), *arguments]
        try:
            return subprocess.run(
                command, capture_output=True, text=True, timeout=timeout_s, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise Died(f"command '{' '.join(command)}' failed: got timeout") from error
        except OSError as error:
            raise Died(f"command '{' '.join(command)}' failed: {error.strerror}") from error


def _parsed(answer: subprocess.CompletedProcess[str]) -> Any:
    if answer.returncode != 0:
        raise Died(_reason(answer))
    try:
        return json.loads(answer.stdout)
    except json.JSONDecodeError as error:
        raise Died(f"unexpected answer of the guest program: {error}") from error


def _reason(answer: subprocess.CompletedProcess[str]) -> str:
    lines = answer.stderr.strip().splitlines()
    return lines[-1] if lines else f"exit code {answer.returncode}"
