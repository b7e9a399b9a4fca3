"""Scripts of bounded sections, run by the real shell."""

from __future__ import annotations

import subprocess
import time

import pytest

from blackstart.collect.sections import (
    Answer,
    Section,
    builtin,
    longest,
    program,
    read,
    script,
    shell,
)

TOKEN = "0123abcd"


def answers(*sections: Section, arguments: tuple[str, ...] = ()) -> dict[str, Answer]:
    """What the sections give when the script comes by standard input, as over ssh."""
    done = subprocess.run(
        ["sh", "-s", "--", *arguments],
        input=script(sections, TOKEN),
        check=False,
        capture_output=True,
        text=True,
        timeout=30,
    )
    return dict(read(sections, TOKEN, done.stdout, done.stderr))


def test_lines_come_as_printed_with_and_without_a_newline_at_the_end() -> None:
    seen = answers(
        shell("two", 5, "echo a; echo; echo ' b'"),
        shell("bare", 5, "printf x"),
        shell("none", 5, "true"),
    )
    assert seen["two"].lines == ("a", "", " b")
    assert seen["bare"].lines == ("x",)
    assert seen["none"] == Answer()


def test_a_hanging_section_costs_its_bound_and_not_the_rest() -> None:
    began = time.monotonic()
    seen = answers(
        shell("hangs", 1, "echo begun; sleep 60"),
        shell("stubborn", 1, "trap '' TERM; while :; do sleep 60; done"),
        shell("after", 5, "echo fine"),
    )
    assert time.monotonic() - began < 5
    assert seen["hangs"].error == "no answer within 1 s"
    assert seen["stubborn"].error == "no answer within 1 s"
    assert seen["after"].lines == ("fine",)


def test_a_failure_tells_its_own_words_and_nobody_elses() -> None:
    seen = answers(
        shell("loud", 5, "echo warning >&2"),
        shell("fails", 5, "echo no such thing >&2; exit 4"),
    )
    assert seen["loud"].error is None
    assert seen["fails"].error == "exit 4: no such thing"


def test_a_missing_program_is_a_failure() -> None:
    seen = answers(
        shell("inner", 5, "no-such-program-here"), program("outer", 5, "no-such-program-here")
    )
    assert "127" in str(seen["inner"].error)
    assert "No such file" in str(seen["outer"].error)


def test_a_program_gets_its_words_as_they_are() -> None:
    assert answers(program("p", 5, "printf", "%s|", "a b", "$HOME"))["p"].lines == ("a b|$HOME|",)


def test_an_exit_status_may_be_part_of_the_answer() -> None:
    seen = answers(program("p", 5, "sh", "-c", "echo degraded; exit 1", statuses=(0, 1)))
    assert seen["p"].lines == ("degraded",)


def test_a_builtin_section_runs_in_the_scripts_own_shell() -> None:
    seen = answers(builtin("b", "echo one; false"), builtin("c", "echo two"))
    assert (seen["b"].error, seen["c"].lines) == ("exit 1", ("two",))


def test_a_command_cannot_eat_the_script() -> None:
    # Longer than what a shell reads ahead, else there is nothing left to eat.
    far = shell("after", 5, f"echo fine {' ' * 50_000}")
    seen = answers(shell("reads", 5, "cat"), builtin("too", "cat"), far)
    assert (seen["reads"].lines, seen["after"].lines) == ((), ("fine",))


def test_what_a_command_prints_cannot_pass_for_a_mark() -> None:
    text = "@@ffffffff end liar 0"
    seen = answers(shell("liar", 5, f"echo '{text}'; echo more"))
    assert seen["liar"].lines == (text, "more")


def test_arguments_reach_the_sections_as_they_are() -> None:
    seen = answers(
        shell("args", 5, 'printf "%s\\n" "$1" "$2"'), arguments=("a b", "$(touch x) 'q'")
    )
    assert seen["args"].lines == ("a b", "$(touch x) 'q'")


@pytest.mark.parametrize(
    ("stdout", "error"),
    [
        ("", "the host did not get to it"),
        ("hello from .bashrc\n", "the host did not get to it"),
        (f"@@{TOKEN} begin x\nhalf a li", "the output ends in the middle"),
        (f"@@{TOKEN} begin x\n@@{TOKEN} end y 0\n", "the output ends in the middle"),
    ],
)
def test_output_that_was_cut_is_no_answer(stdout: str, error: str) -> None:
    assert read([shell("x", 1, "true")], TOKEN, stdout, "")["x"].error == error


def test_the_longest_run_is_known() -> None:
    assert longest([shell("a", 2, ""), shell("b", 5, "")]) == 10
