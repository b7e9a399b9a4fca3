"""The host script on this machine, with programs that hang in place of the real ones."""

from __future__ import annotations

import os
import subprocess
import time
from dataclasses import replace
from pathlib import Path

from blackstart.collect.host import look_at_host
from blackstart.collect.host_parse import understand
from blackstart.collect.host_script import HOST_SECTIONS, READ_S, SOURCES
from blackstart.collect.sections import Answer, run
from blackstart.drivers.base import CommandResult
from blackstart.errors import TimedOut, Unreachable

from .local import LocalRunner, ScriptedRunner, tool


def test_this_machine_is_read() -> None:
    runner = LocalRunner()
    facts = look_at_host(runner, "here", timeout_s=30).facts
    assert facts.boot_id.value == Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    assert facts.kernel.value == os.uname().release
    assert facts.uptime_s.value is not None
    assert facts.uptime_s.value > 0
    assert facts.memory_available_kib.value is not None
    assert runner.ran == ["here"]


def mounts(tools: Path, table: str) -> dict[str, bool]:
    """Which mounts of a table answer, by target, as the script's own section finds out."""
    path = tools / "mounts"
    path.write_text(table)
    (section,) = [item for item in HOST_SECTIONS if item.name == "mounts"]
    section = replace(section, line=section.line.replace("/proc/self/mounts", str(path)))
    answers = dict.fromkeys(SOURCES, Answer(error="not asked"))
    answers |= run(LocalRunner(tools), "here", [section], timeout_s=60)
    found = understand("here", answers).facts.mounts
    assert found.value is not None, found.error
    return {mount.target: mount.answers for mount in found.value}


def test_each_mount_is_read_and_what_the_kernel_made_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "with space").mkdir()
    table = f"""\
/dev/vda {tmp_path} ext4 rw 0 0
nas:/export {tmp_path}/with\\040space nfs4 rw 0 0
nas:/gone {tmp_path}/not\\040there nfs4 rw 0 0
/dev/vdb {tmp_path}/neither xfs rw 0 0
proc /proc proc rw 0 0
overlay {tmp_path} overlay rw 0 0
/dev/vdc /run/media ext4 rw 0 0
"""
    assert mounts(tmp_path, table) == {
        str(tmp_path): True,
        f"{tmp_path}/with space": True,
        f"{tmp_path}/not there": False,
        f"{tmp_path}/neither": False,
    }


def test_a_server_that_hangs_is_told_and_holds_nobody_up(tmp_path: Path) -> None:
    # A dead NFS server makes statfs hang: `stat` that sleeps stands for the kernel's wait.
    tool(tmp_path, "stat", "exec sleep 60")
    dead = "".join(f"nas:/{number} {tmp_path} nfs4 rw 0 0\n" for number in range(8))
    began = time.monotonic()
    seen = mounts(tmp_path, f"{dead}/dev/vda / ext4 rw 0 0\n")
    assert time.monotonic() - began < READ_S + 4
    assert seen == {str(tmp_path): False, "/": True}


def test_a_pattern_in_a_path_is_not_expanded(tmp_path: Path) -> None:
    assert mounts(tmp_path, f"nas:/x {tmp_path}/* nfs4 rw 0 0\n") == {f"{tmp_path}/*": False}


def test_a_mount_is_read_and_not_only_looked_up(tmp_path: Path) -> None:
    tool(tmp_path, "ls", "echo 'ls: Input/output error' >&2; exit 2")
    facts = look_at_host(LocalRunner(tmp_path), "here", timeout_s=60).facts
    assert facts.mounts.value
    assert not any(mount.answers for mount in facts.mounts.value)


def test_a_tool_that_hangs_costs_its_bound_only(tmp_path: Path) -> None:
    tool(tmp_path, "ip", "exec sleep 60")
    facts = look_at_host(LocalRunner(tmp_path), "here", timeout_s=60).facts
    assert facts.addresses.error == "no answer within 3 s"
    assert facts.kernel.known
    assert facts.mounts.known


def test_states_and_failed_units(tmp_path: Path) -> None:
    tool(
        tmp_path,
        "systemctl",
        'case $1 in is-system-running) echo degraded; exit 1;; *) echo "a.service loaded failed '
        'failed A thing";; esac',
    )
    facts = look_at_host(LocalRunner(tmp_path), "here", timeout_s=60).facts
    assert facts.system_state.value == "degraded"
    assert facts.failed_units.value == ("a.service",)


def test_oom_lines_are_picked_from_the_kernels(tmp_path: Path) -> None:
    tool(
        tmp_path,
        "journalctl",
        "echo '[ 0.0] h kernel: Linux version 6.12'\n"
        "echo '[ 9.0] h kernel: Out of memory: Killed process 1 (x)'",
    )
    facts = look_at_host(LocalRunner(tmp_path), "here", timeout_s=60).facts
    assert facts.oom_lines.value == ("[ 9.0] h kernel: Out of memory: Killed process 1 (x)",)


def test_a_journal_without_kernel_lines_does_not_prove_that_nothing_was_killed(
    tmp_path: Path,
) -> None:
    tool(tmp_path, "journalctl", "exit 0")
    facts = look_at_host(LocalRunner(tmp_path), "here", timeout_s=60).facts
    assert "no kernel lines" in str(facts.oom_lines.error)


def test_votes_come_from_a_cluster_member(tmp_path: Path) -> None:
    text = Path(__file__).parent / "hosts" / "proxmox-healthy.txt"
    lines = text.read_text().split("@@TOKEN begin quorum\n")[1].split("@@TOKEN")[0]
    # It exits with 1 or 2 depending on its version, whatever it prints.
    tool(tmp_path, "corosync-quorumtool", f"cat <<'E'\n{lines}\nE\nexit 2")
    reading = look_at_host(LocalRunner(tmp_path), "here", timeout_s=60)
    assert (reading.votes.value, reading.quorum.value) == (3, 2)


def test_a_corosync_that_does_not_answer_has_no_votes(tmp_path: Path) -> None:
    tool(tmp_path, "corosync-quorumtool", "echo 'Cannot initialize QUORUM service'; exit 1")
    reading = look_at_host(LocalRunner(tmp_path), "here", timeout_s=60)
    assert "Cannot initialize QUORUM service" in str(reading.votes.error)


def test_what_came_before_the_time_was_over_is_kept() -> None:
    def slow(script: str) -> CommandResult:
        token = script.partition("@@")[2].partition("\n")[0]
        text = f"@@{token} begin kernel\n6.12\n\n@@{token} end kernel 0\n@@{token} begin memory\n"
        raise TimedOut("pve1: too late", stdout=text)

    facts = look_at_host(ScriptedRunner({"pve1": slow}), "pve1", timeout_s=5).facts
    assert facts.kernel.value == "6.12"
    assert facts.memory_available_kib.error == "the output ends in the middle"
    assert facts.addresses.error == "the host did not get to it"


def test_a_host_that_cannot_be_reached_is_an_error_in_every_fact() -> None:
    def gone(_: str) -> CommandResult:
        raise Unreachable("pve1: No route to host")

    facts = look_at_host(ScriptedRunner({"pve1": gone}), "pve1", timeout_s=5).facts
    assert facts.boot_id.error == facts.mounts.error == "pve1: No route to host"


def test_the_script_is_plain_posix_shell(tmp_path: Path) -> None:
    scripts: list[str] = []

    def keep(text: str) -> CommandResult:
        scripts.append(text)
        return CommandResult(0, "", "")

    look_at_host(ScriptedRunner({"x": keep}), "x", timeout_s=5)
    for shell in ("dash", "bash --posix"):
        done = subprocess.run(
            [*shell.split(), "-n"],
            input=scripts[0],
            check=False,
            capture_output=True,
            text=True,
            timeout=10,
        )
        assert (done.returncode, done.stderr) == (0, "")
