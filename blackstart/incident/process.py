"""One of our commands as a child, which is asked to end before it is made to.

A drill that is asked (SIGINT, which is Ctrl-C) puts everything back first; one that is killed
leaves that to others.
"""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

from blackstart.errors import Unproven
from blackstart.signals import undisturbed

COLOURING = frozenset({"FORCE_COLOR", "PY_COLORS", "CLICOLOR_FORCE"})
ENDS = ((signal.SIGINT, 600.0), (signal.SIGTERM, 20.0), (signal.SIGKILL, 10.0))
"""What a child hears one after the other, and for how many seconds it is waited for each time: a
drill puts back on the first, and on the second says what it leaves."""
LEFT_S = 10.0
"""For what a child that has ended leaves running."""
POLL_S = 0.05


def run(
    module: str, words: Sequence[str], *, directory: Path, log: Path, timeout_s: float
) -> subprocess.CompletedProcess[str]:
    """``python -m MODULE WORDS`` in a directory; what it printed goes into ``log`` as well.

    When time (seconds) is over it is ended, within ``ENDS``, and ``Unproven`` raised; so it is,
    and goes on, with whatever else breaks in, Ctrl-C above all. The child and its children are a
    process group of their own: a terminal's Ctrl-C reaches them through us, once.
    """
    child: subprocess.Popen[bytes] | None = None
    late = False
    with TemporaryFile() as out, TemporaryFile() as err:
        try:
            with undisturbed():  # or a child would go on of which nobody knows
                child = _start([sys.executable, "-m", module, *words], directory, out, err)
            try:
                child.wait(timeout_s)
            except subprocess.TimeoutExpired:
                late = True
                _end(child)
        except BaseException:
            if child is not None:
                _end(child)
            raise
        finally:
            code = child.returncode if child is not None else None
            printed = _text(out), _text(err)
            log.parent.mkdir(parents=True, exist_ok=True)
            with log.open("a", encoding="utf-8") as file:
                file.write(f"$ {shlex.join([module, *words])}\n{''.join(printed)}exit {code}\n")
    if late:
        raise Unproven(f"{module} {words[0]} did not end within {timeout_s:.0f} s")
    return subprocess.CompletedProcess(words, child.returncode, *printed)


def _start(
    command: Sequence[str], directory: Path, out: IO[bytes], err: IO[bytes]
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        command,
        cwd=directory,
        env={key: text for key, text in os.environ.items() if key not in COLOURING},
        stdin=subprocess.DEVNULL,
        stdout=out,
        stderr=err,
        process_group=0,
    )


def _end(child: subprocess.Popen[bytes]) -> None:
    """Ask, then force, within ``ENDS``. Ctrl-C meanwhile is the next step at once, and told."""
    again: KeyboardInterrupt | None = None
    for number, bound_s in ENDS:
        _tell(child, number)
        try:
            child.wait(bound_s)
            break
        except subprocess.TimeoutExpired:
            continue
        except KeyboardInterrupt as error:
            again = error
    try:
        deadline = time.monotonic() + LEFT_S
        while _tell(child, 0) and time.monotonic() < deadline:
            time.sleep(POLL_S)
    finally:
        _tell(child, signal.SIGKILL)
    if again is not None:
        raise again


def _tell(child: subprocess.Popen[bytes], number: int) -> bool:
    """Signal its whole group; whether there was anybody to hear it.

    Who is stopped, as sudo is that asks for a password in the background, goes on to hear it.
    """
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, number)
        os.killpg(child.pid, signal.SIGCONT)
        return True
    return False


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode(errors="replace")
