"""Commands over a real sshd: results, bounds, one connection, and what happens when it breaks."""

from __future__ import annotations

import os
import shlex
import signal
import threading
import time

import pytest

from blackstart.drivers import ssh
from blackstart.drivers.ssh import SshRunner, bounded
from blackstart.drivers.testinfra_host import as_testinfra
from blackstart.errors import DriverError, TimedOut, Unreachable

from .sshd import Sshd


def test_exit_code_and_both_streams(runner: SshRunner) -> None:
    result = runner.run("box", "echo out; echo err >&2; exit 3", timeout_s=10)
    assert (result.exit_code, result.stdout, result.stderr) == (3, "out\n", "err\n")
    assert not result.ok


def test_quotes_dollars_and_newlines_reach_the_shell_unchanged(runner: SshRunner) -> None:
    command = "printf '%s|' \"it's\" '$HOME' \"$(echo sub)\"\nprintf done"
    assert runner.run("box", command, timeout_s=10).stdout == "it's|$HOME|sub|done"


def test_stdin_is_given_and_ends(runner: SshRunner) -> None:
    assert runner.run("box", "cat; echo end", timeout_s=10, stdin="a\nb\n").stdout == "a\nb\nend\n"


def test_without_stdin_a_reader_sees_the_end_at_once(runner: SshRunner) -> None:
    assert runner.run("box", "cat", timeout_s=5).stdout == ""


def test_input_and_output_larger_than_every_window_do_not_deadlock(runner: SshRunner) -> None:
    text = "x" * 3_500_000
    result = runner.run("box", "tee /dev/stderr", timeout_s=60, stdin=text)
    assert (len(result.stdout), len(result.stderr)) == (len(text), len(text))


def test_a_command_that_ignores_its_input_is_no_error(runner: SshRunner) -> None:
    assert runner.run("box", "exit 5", timeout_s=10, stdin="y" * 5_000_000).exit_code == 5


def test_death_by_signal_is_an_exit_status(runner: SshRunner) -> None:
    assert runner.run("box", "kill -KILL $$", timeout_s=10).exit_code == 128 + 9


def test_too_much_output_is_an_error_and_not_a_cut(runner: SshRunner) -> None:
    with pytest.raises(DriverError, match=r"box: .*more than 8 MiB"):
        runner.run("box", "yes", timeout_s=60)
    assert runner.run("box", "echo alive", timeout_s=10).ok


def test_a_hanging_command_ends_here_and_there(runner: SshRunner) -> None:
    began = time.monotonic()
    with pytest.raises(TimedOut, match="box") as caught:
        runner.run("box", "echo begun; sleep 543.21", timeout_s=2)
    assert caught.value.stdout == "begun\n"
    assert time.monotonic() - began < 4
    assert runner.run("box", "pgrep -f '[s]leep 543.21'", timeout_s=10).exit_code == 1


def test_a_command_that_ignores_the_signal_is_killed_there(runner: SshRunner) -> None:
    with pytest.raises(TimedOut):
        runner.run("box", "trap '' TERM; while :; do sleep 0.2; done # stubborn", timeout_s=1)
    time.sleep(3)  # `timeout -k 2` sends KILL two seconds after TERM: that is what is tested
    assert runner.run("box", "pgrep -f '[s]tubborn'", timeout_s=10).exit_code == 1


def test_exit_124_of_the_command_itself_is_not_a_timeout(runner: SshRunner) -> None:
    assert runner.run("box", "exit 124", timeout_s=30).exit_code == 124


def test_a_daemon_left_behind_does_not_hold_the_answer(runner: SshRunner) -> None:
    began = time.monotonic()
    assert runner.run("box", "sleep 4 & echo started", timeout_s=20).stdout == "started\n"
    assert time.monotonic() - began < 3.5


def test_one_login_serves_all_commands_and_threads(runner: SshRunner, sshd: Sshd) -> None:
    answers: list[str] = []

    def ask(number: int) -> None:
        answers.append(runner.run("box", f"sleep 0.3; echo {number}", timeout_s=20).stdout)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(int(answer) for answer in answers) == list(range(12))
    assert sshd.logins() == 1


def test_forget_makes_the_next_command_log_in_again(runner: SshRunner, sshd: Sshd) -> None:
    runner.run("box", "true", timeout_s=10)
    runner.forget("box")
    assert runner.run("box", "echo back", timeout_s=10).stdout == "back\n"
    assert sshd.logins() == 2


def test_a_connection_that_breaks_under_a_command_is_unreachable(
    runner: SshRunner, sshd: Sshd
) -> None:
    runner.run("box", "true", timeout_s=10)
    threading.Timer(0.7, sshd.kill_sessions).start()
    began = time.monotonic()
    with pytest.raises(Unreachable, match="broke while the command ran"):
        runner.run("box", "sleep 20", timeout_s=30)
    assert time.monotonic() - began < 5
    assert runner.run("box", "echo again", timeout_s=10).stdout == "again\n"


def test_a_connection_that_died_between_two_commands_is_replaced(
    runner: SshRunner, sshd: Sshd
) -> None:
    runner.run("box", "true", timeout_s=10)
    sshd.kill_sessions()
    assert runner.run("box", "echo again", timeout_s=10).stdout == "again\n"


def test_a_host_that_is_not_declared_is_unreachable(runner: SshRunner) -> None:
    with pytest.raises(Unreachable, match="declares no ssh access"):
        runner.run("elsewhere", "true", timeout_s=5)


def test_a_peer_that_freezes_is_left_for_a_new_connection(
    runner: SshRunner, sshd: Sshd, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ssh, "OPEN_CHANNEL_S", 1.0)
    runner.run("box", "true", timeout_s=10)
    (frozen,) = sshd.sessions()
    os.kill(frozen, signal.SIGSTOP)
    assert runner.run("box", "echo thawed", timeout_s=10).stdout == "thawed\n"


def test_a_peer_that_freezes_under_a_command_is_bounded(runner: SshRunner, sshd: Sshd) -> None:
    runner.run("box", "true", timeout_s=10)
    (frozen,) = sshd.sessions()
    threading.Timer(0.5, os.kill, (frozen, signal.SIGSTOP)).start()
    began = time.monotonic()
    with pytest.raises(TimedOut, match="box"):
        runner.run("box", "sleep 30", timeout_s=2)
    assert time.monotonic() - began < 5


def test_the_command_line_is_bounded_on_the_host() -> None:
    line = bounded("echo a'b; true", 7)
    assert shlex.split(line.removesuffix("; exit $?")) == [
        *("timeout", "-k", "2", "7", "sh", "-c"),
        "echo a'b; true",
    ]
    assert line.endswith("; exit $?")


def test_testinfra_speaks_over_the_same_connection(runner: SshRunner, sshd: Sshd) -> None:
    runner.run("box", "true", timeout_s=10)
    host = as_testinfra(runner, "box")
    path = sshd.directory / "with space"
    path.write_text("zażółć\n")
    assert host.file(str(path)).content_string == "zażółć\n"
    assert host.run("echo %s", "a b; exit 3").stdout == "a b; exit 3\n"
    assert not host.file("/nonexistent").exists
    assert sshd.logins() == 1
