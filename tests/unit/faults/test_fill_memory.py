"""Filling memory for real, in small: a tmpfs in a mount namespace of its own, as root.

``systemd-run`` and ``systemctl`` are small programs; the first expands ``$`` in its command
line as systemd does (systemd.service(5)), which once left the writer without its variables.
"""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from blackstart.model.changes import FILL_CHUNK_MIB, FillMemory

MIB = 64
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
HEAD = """#!/bin/sh
/usr/bin/head "$@"
echo x >>"$STATE/written"
[ "$(wc -l <"$STATE/written")" -lt "$KILLS_AFTER" ] || echo 'oom_kill 8' >"$STATE/vmstat"
"""
WAIT = "i=0; while [ $i -lt 100 ] && ! {until}; do sleep 0.1; i=$((i+1)); done"


@dataclass(frozen=True)
class Bench:
    """A mount namespace for each line; the same fake kernel counter in all of them."""

    root: Path
    fill: FillMemory

    def run(self, script: str, kills_after: int = 999) -> str:
        preparation = [
            "set -e",
            f"mount --bind {self.root / 'vmstat'} /proc/vmstat",
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
                "KILLS_AFTER": str(kills_after),
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
    for name, text in (("systemd-run", SYSTEMD_RUN), ("systemctl", SYSTEMCTL), ("head", HEAD)):
        (tmp_path / "bin" / name).write_text(text)
        (tmp_path / "bin" / name).chmod(0o755)
    (tmp_path / "vmstat").write_text("oom_kill 7\n")
    return Bench(tmp_path, FillMemory(name="test-fill", mib=MIB))


HELD = "echo $(($(cat /run/blackstart/test-fill/* | wc -c) / 1048576))"
WROTE = f'[ "$(cat "$STATE/written" 2>/dev/null | wc -l)" -ge {MIB // FILL_CHUNK_MIB} ]'


def test_it_holds_what_it_says_and_the_undo_leaves_nothing(bench: Bench) -> None:
    lines = [
        f"{bench.fill.possible()} || echo NOT POSSIBLE",
        bench.fill.command(),
        WAIT.format(until=WROTE),
        "sleep 0.3",
        HELD,
        f"{bench.fill.possible()} && echo POSSIBLE TWICE",
        bench.undo(),
    ]
    assert bench.run("\n".join(lines)).split() == [str(MIB)]


def test_it_stops_at_the_first_kill(bench: Bench) -> None:
    killed = '[ "$(cat "$STATE/vmstat")" = "oom_kill 8" ]'
    lines = [bench.fill.command(), WAIT.format(until=killed), "sleep 0.5", HELD, bench.undo()]
    assert bench.run("\n".join(lines), kills_after=2).split() == [str(2 * FILL_CHUNK_MIB)]


def test_the_undo_of_nothing_is_fine_and_of_a_writer_at_work_too(bench: Bench) -> None:
    assert bench.run(bench.undo()) == ""
    assert bench.run(f"{bench.fill.command()}\nsleep 0.05\n{bench.undo()}") == ""


def test_every_dollar_of_the_writer_reaches_its_shell() -> None:
    command = FillMemory(name="x", mib=1).command()
    assert "$" in command
    assert not re.search(r"(?<!\$)(\$\$)*\$(?!\$)", command)
