"""The mount probe: what hangs or is away is down, and nothing piles up behind it."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from blackstart.drivers.base import CommandResult, CommandRunner
from blackstart.errors import DriverError, ProbeBroken, TimedOut, Unreachable
from blackstart.probes import mount as module
from blackstart.probes.base import Answer
from blackstart.probes.mount import MountProbe
from tests.unit.collect.local import LocalRunner, ScriptedRunner, tool
from tests.unit.probes.watching import until


def probe(runner: CommandRunner, path: str = "/mnt/vms", bound_s: int = 1) -> MountProbe:
    return MountProbe("mount vms", "mount/vms", runner, "pve1", path, bound_s)


def answering(answer: Callable[[str], CommandResult]) -> MountProbe:
    return probe(ScriptedRunner({"pve1": answer}))


async def test_a_mount_that_answers_is_up(tmp_path: Path) -> None:
    tool(tmp_path, "stat", 'test "$5" = /mnt/vms && echo nfs')
    asking = probe(LocalRunner(tmp_path))
    assert await asking.ask() == Answer(True)
    await asking.close()


async def test_a_mount_that_hangs_is_down_and_its_process_is_killed(tmp_path: Path) -> None:
    # A client waits for a dead server deaf to everything but SIGKILL, as does this `stat`.
    pid = tmp_path / "pid"
    tool(tmp_path, "stat", f"trap '' TERM INT HUP; echo $$ >{pid}; while :; do sleep 0.1; done")
    asking = probe(LocalRunner(tmp_path))
    began = time.monotonic()
    assert await asking.ask() == Answer(False, "no answer within 1 s")
    assert time.monotonic() - began < 3
    await asking.close()
    await until(lambda: gone(int(pid.read_text())), 5)


def gone(pid: int) -> bool:
    """Whether a process has ended, be it that nobody has reaped it yet (proc_pid_stat(5))."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].startswith("Z")
    except FileNotFoundError:
        return True


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("echo \"stat: cannot read '$5': Stale file handle\" >&2; exit 1", "Stale file handle"),
        ("echo ext2/ext3", "/mnt/vms is on ext2/ext3"),
        ("exit 1", "stat exited with 1"),
        ("", "/mnt/vms is on nothing known"),
    ],
)
async def test_what_does_not_serve_is_down(tmp_path: Path, script: str, said: str) -> None:
    tool(tmp_path, "stat", script)
    asking = probe(LocalRunner(tmp_path))
    assert await asking.ask() == Answer(False, said)
    await asking.close()


@pytest.mark.parametrize("error", [Unreachable("no route"), TimedOut("no answer in time")])
async def test_a_host_that_is_away_takes_its_mounts_with_it(error: DriverError) -> None:
    def away(_: str) -> CommandResult:
        raise error

    asking = answering(away)
    assert await asking.ask() == Answer(False, str(error))
    await asking.close()


async def test_a_host_that_cannot_ask_breaks_the_probe_and_is_no_outage() -> None:
    asking = answering(lambda _: CommandResult(127, "", "sh: exec: timeout: not found"))
    with pytest.raises(ProbeBroken, match="timeout: not found"):
        await asking.ask()
    await asking.close()


async def test_a_connection_that_takes_no_more_breaks_the_probe() -> None:
    def full(_: str) -> CommandResult:
        raise DriverError("sshd refuses another session")

    asking = answering(full)
    with pytest.raises(ProbeBroken, match="another session"):
        await asking.ask()
    await asking.close()


async def test_one_question_is_open_at_a_time_and_what_waits_too_long_is_down(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "ROUND_TRIP_S", 0.2)
    release, most, running = threading.Event(), 0, 0

    def slow(_: str) -> CommandResult:
        nonlocal most, running
        running += 1
        most = max(most, running)
        release.wait(10)
        running -= 1
        return CommandResult(0, "nfs\n", "")

    asking = answering(slow)
    answers = await asyncio.gather(*(asking.ask() for _ in range(5)))
    assert set(answers) == {Answer(False, "pve1: no answer within 1.2 s")}
    release.set()
    assert await asking.ask() == Answer(True)
    await asking.close()
    assert most == 1


async def test_a_login_may_take_longer_than_an_answer() -> None:
    """A host that boots is slow to let anybody in; who gives up starts all over again."""
    bounds: list[float] = []

    class Booting(ScriptedRunner):
        def run(
            self, host: str, command: str, *, timeout_s: float, stdin: str | None = None
        ) -> CommandResult:
            bounds.append(timeout_s)
            return CommandResult(0, "nfs\n", "")

    asking = probe(Booting({}))
    assert await asking.ask() == Answer(True)
    await asking.close()
    assert bounds[0] > 2 * asking.timeout_s
