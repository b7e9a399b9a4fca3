"""Filling memory for real, in small: a tmpfs in a mount namespace of its own, as root.

``systemd-run`` and ``systemctl`` are small programs; the first expands ``$`` in its command
line as systemd does (systemd.service(5)), which once left the writer without its variables.
"""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from blackstart.model.changes import FillMemory
from blackstart.model.filling import CHUNK_MIB, STUCK_S

MIB = 64
MUCH_MIB = 2048
WRITTEN_MIB = 512
BACK_CHUNKS = MUCH_MIB // CHUNK_MIB // 8
SYSTEMD_RUN = r"""#!/bin/sh
while case $1 in -*) true ;; *) false ;; esac; do shift; done
script=$(printf %s "$3" | sed 's/\$\$/\x01/g; s/\$[A-Za-z_][A-Za-z0-9_]*//g; s/\x01/$/g')
setsid "$1" "$2" "$script" </dev/null >/dev/null 2>&1 &
echo $! >"$STATE/pid"
"""
SYSTEMCTL = """#!/bin/sh
case "$*" in
*stop*) [ ! -e "$STATE/pid" ] || { kill -- "-$(cat "$STATE/pid")"; rm "$STATE/pid"; } ;;
*ActiveState*) [ -e "$STATE/pid" ] && echo active || echo inactive ;;
esac
"""
WAIT = "i=0; while [ $i -lt 100 ] && ! {until}; do sleep 0.1; i=$((i+1)); done"


@dataclass(frozen=True)
class Bench:
    """A mount namespace for each line; the same fake kernel counter in all of them."""

    root: Path
    fill: FillMemory

    def run(self, script: str) -> str:
        preparation = [
            "set -e",
            f"mount --bind {self.root / 'vmstat'} /proc/vmstat",
            f"mount --bind {self.root / 'uptime'} /proc/uptime",
            f"mount --bind {self.root / 'meminfo'} /proc/meminfo",
            "mount -t tmpfs none /run",
            "set +e",
        ]
        done = subprocess.run(
            ["unshare", "--mount", "--propagation", "private", "/bin/sh"],
            input="\n".join([*preparation, script, ""]),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env={
                "PATH": f"{self.root / 'bin'}:/usr/sbin:/usr/bin:/sbin:/bin",
                "STATE": str(self.root),
            },
        )
        assert done.stderr == ""
        return done.stdout

    def undo(self) -> str:
        lines = [action.command() for action in self.fill.undo()]
        lines += [f"{action.proof()} || echo NOT UNDONE" for action in self.fill.undo()]
        return "\n".join([*lines, "[ ! -e /run/blackstart ] || echo LEFT"])


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    if os.geteuid() != 0:
        pytest.skip("mounting needs root")
    (tmp_path / "bin").mkdir()
    for name, text in (("systemd-run", SYSTEMD_RUN), ("systemctl", SYSTEMCTL)):
        (tmp_path / "bin" / name).write_text(text)
        (tmp_path / "bin" / name).chmod(0o755)
    (tmp_path / "vmstat").write_text("nr_free_pages 9\noom_kill 7\nlast 1\n")
    (tmp_path / "meminfo").write_text("MemTotal: 9000000 kB\nMemAvailable: 8000000 kB\n")
    (tmp_path / "uptime").write_text("100000.0 9\n")
    return Bench(tmp_path, FillMemory(name="test-fill", mib=MIB))


HELD = "echo $(($(cat /run/blackstart/test-fill/* | wc -c) / 1048576))"
WROTE = '[ "$(du -sm /run/blackstart/test-fill | cut -f1)" -ge {mib} ]'


def test_it_holds_what_it_says_and_the_undo_leaves_nothing(bench: Bench) -> None:
    lines = [
        f"{bench.fill.possible()} || echo NOT POSSIBLE",
        bench.fill.command(),
        WAIT.format(until=WROTE.format(mib=MIB)),
        "sleep 0.3",
        HELD,
        f"{bench.fill.possible()} && echo POSSIBLE TWICE",
        bench.undo(),
    ]
    assert bench.run("\n".join(lines)).split() == [str(MIB)]


def after_writing(bench: Bench, event: str) -> tuple[int, int, int]:
    """MiB held, chunks begun and chunks given back, some time after ``event`` befell the writer."""
    lines = [
        bench.fill.command(),
        WAIT.format(until=WROTE.format(mib=WRITTEN_MIB)),
        event,
        WAIT.format(until="pgrep -g $(cat $STATE/pid) -x sleep >/dev/null"),
        HELD,
        "ls /run/blackstart/test-fill | wc -l",
        "find /run/blackstart/test-fill -type f -empty | wc -l",
        bench.undo(),
    ]
    held, begun, empty = map(int, bench.run("\n".join(lines)).split())
    return held, begun, empty


def test_it_stops_at_the_first_kill_and_lets_the_host_breathe(bench: Bench) -> None:
    much = replace(bench, fill=FillMemory(name="test-fill", mib=MUCH_MIB))
    held, begun, empty = after_writing(much, "echo 'oom_kill 8' >$STATE/vmstat")
    assert begun < MUCH_MIB // CHUNK_MIB
    assert empty == BACK_CHUNKS
    assert 0 < held <= (begun - empty) * CHUNK_MIB


def test_it_gives_back_and_gives_up_when_the_machine_gets_on_with_nothing(bench: Bench) -> None:
    much = replace(bench, fill=FillMemory(name="test-fill", mib=MUCH_MIB))
    clock = (
        "n=100100; while [ -e $STATE/pid ]; do n=$((n+{step})); echo $n.0 1<>$STATE/uptime; done &"
    )
    held, begun, empty = after_writing(much, clock.format(step=STUCK_S + 1))
    assert begun < MUCH_MIB // CHUNK_MIB
    assert empty >= BACK_CHUNKS
    assert held <= (begun - empty) * CHUNK_MIB


@pytest.mark.parametrize(("left_kib", "scheduling"), [(8_000_000, "TS"), (200_000, "RR")])
def test_the_last_of_it_is_written_before_anybody_else_gets_on(
    bench: Bench, left_kib: int, scheduling: str
) -> None:
    (bench.root / "meminfo").write_text(f"MemTotal: 9000000 kB\nMemAvailable: {left_kib} kB\n")
    lines = [
        bench.fill.command(),
        WAIT.format(until=WROTE.format(mib=MIB)),
        "ps -o cls= -p $(cat $STATE/pid)",
        bench.undo(),
    ]
    assert bench.run("\n".join(lines)).split() == [scheduling]


def test_the_undo_of_nothing_is_fine_and_of_a_writer_at_work_too(bench: Bench) -> None:
    assert bench.run(bench.undo()) == ""
    assert bench.run(f"{bench.fill.command()}\nsleep 0.05\n{bench.undo()}") == ""


def test_every_dollar_of_the_writer_reaches_its_shell() -> None:
    command = FillMemory(name="x", mib=1).command()
    assert "$" in command
    assert not re.search(r"(?<!\$)(\$\$)*\$(?!\$)", command)
