"""Bounded local commands of the rack: build, network, disks."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from blackstart.rack.errors import RackError

# Where system programs are, also for a user whose PATH has no sbin.
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def _environment(extra: Mapping[str, str] | None) -> dict[str, str]:
    path = os.environ.get("PATH", "")
    return {**os.environ, "PATH": f"{path}:{SYSTEM_PATH}", "LC_ALL": "C.UTF-8", **(extra or {})}


def run(
    argv: Sequence[str | Path],
    *,
    timeout: float,
    stdin: str | None = None,
    env: Mapping[str, str] | None = None,
) -> str:
    """Run a command to its end and return its standard output.

    ``timeout`` is in seconds. Raises `RackError` with the command's own words
    when it fails or does not end in time.
    """
    words = [str(word) for word in argv]
    try:
        done = subprocess.run(
            words,
            input=stdin,
            env=_environment(env),
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise RackError(f"'{words[0]}' did not end within {timeout:g} s") from error
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise RackError(f"'{' '.join(words[:4])}' failed: {said[-1] if said else 'no output'}")
    return done.stdout


def stream(
    argv: Sequence[str | Path],
    *,
    timeout: float,
    log: Path,
    line: Callable[[str], None],
    env: Mapping[str, str] | None = None,
) -> None:
    """Run a long command, its output to ``log``, each line also given to ``line``.

    It ends with this process, also when that one is killed. Raises `RackError`
    that names the log when the command fails, or after ``timeout`` seconds.
    """
    words = [str(word) for word in argv]
    bounded = [
        "setpriv",
        "--pdeathsig",
        "TERM",
        "--",
        "timeout",
        "--kill-after=10",
        f"{timeout:g}",
        *words,
    ]
    with (
        log.open("w", encoding="utf-8") as out,
        subprocess.Popen(
            bounded,
            env=_environment(env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        ) as process,
    ):
        assert process.stdout is not None
        try:
            for text in process.stdout:
                out.write(text)
                out.flush()
                line(text.strip())
        except BaseException:  # Ctrl-C too: timeout(1) leads a process group of its own
            process.terminate()
            raise
    if process.returncode != 0:
        raise RackError(
            f"'{words[0]}' failed (exit {process.returncode})", f"read {log} and run it again"
        )
