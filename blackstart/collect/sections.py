"""A shell script of bounded sections, and what it printed, taken apart again.

Each section is a command of its own under timeout(1), so that one that hangs (a dead
NFS mount, a D-Bus that does not answer) costs its bound and not the rest. Marks go to
both streams and carry a token, so that what a command prints cannot pass for a mark.

Processes are counted here: to start one takes 50 ms on an emulated processor, and a
script that starts seventy of them is itself the load that makes its bounds too short.
"""

from __future__ import annotations

import re
import secrets
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from blackstart.drivers.base import CommandRunner
from blackstart.errors import TimedOut

KILL_AFTER_S = 1
LOGIN_S = 15
_TIMED_OUT = (124, 137)  # timeout(1): ended by TERM, by KILL

# </dev/null: the script itself comes by standard input, and a command must not eat it.
_PROLOGUE = """\
LC_ALL=C; PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin; export LC_ALL PATH
begin() { name=$1; printf '%s begin %s\\n' "$mark" "$name"; printf '%s begin %s\\n' "$mark" "$name" >&2; }
end() { printf '\\n%s end %s %s\\n' "$mark" "$name" "$1"; printf '\\n%s end %s %s\\n' "$mark" "$name" "$1" >&2; }
"""  # noqa: E501 - as it reads best in a shell


@dataclass(frozen=True, slots=True)
class Section:
    """One thing to ask: ``line`` is shell text, ``seconds`` its bound.

    ``statuses`` are the exit statuses with which the output is an answer.
    """

    name: str
    seconds: int
    line: str
    statuses: tuple[int, ...] = (0,)


@dataclass(frozen=True, slots=True)
class Answer:
    """What one section gave: its output, or in ``error`` why there is none to be had."""

    lines: tuple[str, ...] = ()
    error: str | None = None


def program(name: str, seconds: int, *words: str, statuses: tuple[int, ...] = (0,)) -> Section:
    """A program with its arguments, bounded."""
    return Section(name, seconds, f"{_timeout(seconds)} {shlex.join(words)}", statuses)


def shell(name: str, seconds: int, text: str) -> Section:
    """Shell text in a shell of its own, bounded; it sees the script's arguments as $1 and $2."""
    return Section(name, seconds, f'{_timeout(seconds)} sh -c {shlex.quote(text)} sh "$1" "$2"')


def builtin(name: str, text: str) -> Section:
    """Shell text without any process, for reading what cannot hang (procfs)."""
    return Section(name, 0, text)


def where_there_is(section: Section, *paths: str, otherwise: str = ":") -> Section:
    """The same, begun only where one of these paths exists: elsewhere it costs no process.

    ``otherwise`` is shell text without any.
    """
    asked = " || ".join(f"[ -e {path} ]" for path in paths)
    return replace(section, line=f"if {asked}; then {section.line}\nelse {otherwise}; fi")


def _timeout(seconds: int) -> str:
    return f"timeout -k {KILL_AFTER_S} {seconds}"


def script(sections: Iterable[Section], token: str) -> str:
    """A POSIX shell script that runs the sections one after the other."""
    runs = [f"begin {item.name}\n{{ {item.line}\n}} </dev/null; end $?" for item in sections]
    return "\n".join([f"mark={shlex.quote(f'@@{token}')}", _PROLOGUE, *runs, ""])


def longest(sections: Iterable[Section]) -> int:
    """Seconds after which the script has ended whatever its commands do."""
    return sum(item.seconds + KILL_AFTER_S for item in sections) + 1


def run(
    runner: CommandRunner,
    host: str,
    sections: Sequence[Section],
    *,
    arguments: Sequence[str] = (),
    timeout_s: float,
) -> Mapping[str, Answer]:
    """Run the sections on a host in one round trip, at most ``timeout_s`` seconds.

    Sections that had ended when the time was over keep their answer. Raises what the
    runner raises when nothing came at all.
    """
    token = secrets.token_hex(8)
    bound_s = min(timeout_s, longest(sections) + LOGIN_S)
    command = shlex.join(["sh", "-s", "--", *arguments])
    try:
        result = runner.run(host, command, stdin=script(sections, token), timeout_s=bound_s)
    except TimedOut as error:
        if not error.stdout:
            raise
        return read(sections, token, error.stdout, error.stderr)
    return read(sections, token, result.stdout, result.stderr)


def read(sections: Iterable[Section], token: str, stdout: str, stderr: str) -> Mapping[str, Answer]:
    """What each section gave. Text outside the marks (a login's greeting) is not looked at."""
    out, errors = _split(stdout, token), _split(stderr, token)
    return {
        item.name: _answer(item, out.get(item.name), errors.get(item.name)) for item in sections
    }


_Part = tuple[list[str], int | None]


def _split(text: str, token: str) -> dict[str, _Part]:
    mark = re.compile(rf"@@{re.escape(token)} (begin|end) (\w+)(?: (\d+))?$")
    parts: dict[str, _Part] = {}
    current = ""
    for line in text.splitlines():
        found = mark.match(line)
        if found is None:
            if current:
                parts[current][0].append(line)
        elif found[1] == "begin":
            current = found[2]
            parts[current] = ([], None)
        elif current == found[2]:
            parts[current] = (parts[current][0], int(found[3]))
            current = ""
    return parts


def _answer(section: Section, out: _Part | None, errors: _Part | None) -> Answer:
    if out is None:
        return Answer(error="the host did not get to it")
    lines, status = out
    if status is None:
        return Answer(error="the output ends in the middle")
    if status in _TIMED_OUT:
        return Answer(error=f"no answer within {section.seconds} s")
    if status not in section.statuses:
        said = " ".join(" ".join(errors[0]).split()) if errors else ""
        return Answer(error=f"exit {status}{': ' if said else ''}{said[:200]}")
    # The mark begins a line of its own, at the cost of one empty line before it.
    return Answer(lines=tuple(lines[:-1] if lines and not lines[-1] else lines))
