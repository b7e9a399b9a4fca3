"""A shell script of bounded sections, and what it printed, taken apart again.

Each section is a command of its own under timeout(1), so that one that hangs (a dead
NFS mount, a D-Bus that does not answer) costs its bound and not the rest. Marks go to
both streams and carry a token, so that what a command prints cannot pass for a mark.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

KILL_AFTER_S = 1
_ABSENT_TOOL = 127
_TIMED_OUT = (124, 137)  # timeout(1): ended by TERM, by KILL

# </dev/null: the script itself comes by standard input, and a command must not eat it.
_PROLOGUE = """\
LC_ALL=C; PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin; export LC_ALL PATH
section() {
    printf '%s begin %s\\n' "$mark" "$1"
    printf '%s begin %s\\n' "$mark" "$1" >&2
    timeout -k KILL "$2" sh -c "$3" sh "$4" "$5" </dev/null
    set -- "$1" "$?"
    printf '\\n%s end %s %s\\n' "$mark" "$1" "$2"
    printf '\\n%s end %s %s\\n' "$mark" "$1" "$2" >&2
}
""".replace("KILL", str(KILL_AFTER_S))


@dataclass(frozen=True, slots=True)
class Section:
    """A command for sh(1), bounded in seconds; it sees the script's arguments as $1 and $2."""

    name: str
    seconds: int
    command: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What one section gave: its output, or in ``error`` why there is none to be had."""

    lines: tuple[str, ...] = ()
    error: str | None = None


def script(sections: Iterable[Section], token: str) -> str:
    """A POSIX shell script that runs the sections one after the other."""
    calls = [
        f'section {item.name} {item.seconds} {shlex.quote(item.command)} "$1" "$2"'
        for item in sections
    ]
    return "\n".join([f"mark={shlex.quote(f'@@{token}')}", _PROLOGUE, *calls, ""])


def longest(sections: Iterable[Section]) -> int:
    """Seconds after which the script has ended whatever its commands do."""
    return sum(item.seconds + KILL_AFTER_S for item in sections) + 1


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
    if status:
        said = " ".join(" ".join(errors[0]).split()) if errors else ""
        return Answer(error=f"exit {status}{': ' if said else ''}{said[:200]}")
    # The mark begins a line of its own, at the cost of one empty line before it.
    return Answer(lines=tuple(lines[:-1] if lines and not lines[-1] else lines))
