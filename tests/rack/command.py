"""The rack's own command line, as a person calls it."""

from __future__ import annotations

import json
import operator
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

from tenacity import Retrying, retry_if_result, stop_after_delay, wait_fixed

COLD_S = 420.0


def rack(
    *words: str, timeout: float = 60.0, check: bool = True
) -> subprocess.CompletedProcess[str]:
    """Run ``blackstart rack WORDS``; ``timeout`` in seconds."""
    done = subprocess.run(
        [sys.executable, "-m", "blackstart.rack", *words],
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    if check:
        assert done.returncode == 0, f"rack {' '.join(words)}: {done.stdout}{done.stderr}"
    return done


def timed(*words: str, timeout: float) -> float:
    """Run ``blackstart rack WORDS``; how many seconds it took."""
    begun = time.monotonic()
    rack(*words, timeout=timeout)
    return time.monotonic() - begun


def status() -> dict[str, Any]:
    """``rack status --json``."""
    answer: dict[str, Any] = json.loads(rack("status", "--json", check=False).stdout)
    return answer


def on(machine: str, script: str, timeout: float = 60.0) -> str:
    """What a command on a machine or guest printed; ``timeout`` in seconds."""
    return rack("ssh", machine, "--", script, timeout=timeout).stdout.strip()


def boot_id(machine: str) -> str:
    """The kernel's name for this very boot."""
    return on(machine, "cat /proc/sys/kernel/random/boot_id")


def eventually(happened: Callable[[], bool], within: float) -> None:
    """Wait until something happened, at most ``within`` seconds."""
    ask = Retrying(
        stop=stop_after_delay(within), wait=wait_fixed(1), retry=retry_if_result(operator.not_)
    )
    ask(happened)


def reachable(machine: str) -> bool:
    """Whether root's ssh works."""
    return rack("ssh", machine, "--", "true", check=False).returncode == 0
