"""Being told by the running corosync when quorum or members change."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

from .corosync import (
    MEMBER_ROW,
    MEMBER_TABLE,
    NO_QUORUM,
    QUORUMTOOL,
    QuorumState,
    parse_quorum,
)

# Line by line: to a pipe it would hold its tables back until there are many.
MONITOR = ("stdbuf", "-oL", QUORUMTOOL, "-m")
MONITOR_RETRY_S = 1
ASK_AGAIN_S = 30.0
"""It has missed a node that joined while the cluster waited for its quorum device: a new
monitor begins with what is true now, at the cost of one start."""


async def watch_quorum(
    report: Callable[[QuorumState], None],
    command: tuple[str, ...] = MONITOR,
    ask_again_s: float = ASK_AGAIN_S,
) -> None:
    """Report each state that corosync tells, until cancelled.

    One process stays and prints a table at each change: asking again and again
    would cost a tenth of an emulated processor. When it ends there is no quorum.
    After ``ask_again_s`` seconds another takes its place.
    """
    while True:
        try:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
            )
            try:
                async with asyncio.timeout(ask_again_s):
                    await _report_tables(process.stdout, report)
            except TimeoutError:
                continue
            finally:
                await _end(process)
        except OSError as error:
            print(f"{command[0]}: {error.strerror}", flush=True)
        report(NO_QUORUM)
        await asyncio.sleep(MONITOR_RETRY_S)


async def _report_tables(
    output: asyncio.StreamReader | None, report: Callable[[QuorumState], None]
) -> None:
    text = ""
    while output and (line := (await output.readline()).decode(errors="replace")):
        text += line
        if not line.strip() and MEMBER_ROW.search(text.partition(MEMBER_TABLE)[2]):
            report(parse_quorum(text))
            text = ""


async def _end(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.kill()
    try:
        await process.wait()
    except asyncio.CancelledError:
        await process.wait()  # it has been killed: whoever cancels waits for that, too
        raise
