"""The newest archive of ``/etc/pve``, really read: listed, unpacked to its end, and parsed.

The archive is unpacked on its own host; what comes over is the text of files that are no
secret, and of that only keys and names are kept.
"""

from __future__ import annotations

import base64
import binascii
import re
import shlex
from collections.abc import Sequence

from blackstart.collect.sections import Section, run, shell
from blackstart.drivers.base import CommandRunner
from blackstart.errors import DriverError
from blackstart.model.inventory import Backup
from blackstart.model.observed import Observed
from blackstart.model.readiness import ConfigurationCopy

SECONDS = 25
_LISTED = "--"
_NONE = "none"
_PUBLIC = r"(^|/)(storage\.cfg|nodes/[^/]+/(qemu-server|lxc)/[0-9]+\.conf)$"
# Hidden files are unfinished ones, empty ones are no archive (as for the guard).
_READ = f"""\
cd %s || exit 1
newest=$(find . -type f -size +0 ! -path '*/.*' '(' -name '*.tar' -o -name '*.tar.*' \\
    -o -name '*.tgz' ')' -exec stat -c '%%Y %%n' {{}} + | sort -n | tail -n 1)
# All of it was readable, and there is none: that is an answer.
[ -n "$newest" ] || {{ find . >/dev/null && echo {_NONE}; exit; }}
file=${{newest#* }}
echo "$(date +%%s) $newest"
tar -tvf "$file" || exit 1
echo {_LISTED}
tar -xOf "$file" >/dev/null || exit 1
tar -tf "$file" | grep -E '{_PUBLIC}' | tar -xOf "$file" -T - | base64"""
_SECTION = re.compile(r"^[a-z]+:\s*(\S+)\s*$")
_ENTRY = re.compile(r"^([a-z][a-z0-9_-]*):")


def copy_section(path: str) -> Section:
    """What is asked for the newest archive below a directory."""
    return shell("copy", SECONDS, _READ % shlex.quote(path))


def look_at_copy(runner: CommandRunner, declared: Backup) -> Observed[ConfigurationCopy]:
    """The newest archive below the declared directory; never raises ``DriverError``."""
    source = f"ssh {declared.host}: archives below {declared.path}"
    sections = (copy_section(declared.path),)
    try:
        answer = run(runner, declared.host, sections, timeout_s=SECONDS + 14.0)["copy"]
    except DriverError as error:
        return Observed(source=source, error=str(error))
    if answer.error is not None:
        return Observed(source=source, error=answer.error)
    try:
        return Observed(source=source, value=_understood(answer.lines))
    except (ValueError, binascii.Error) as error:
        return Observed(source=source, error=f"not understood: {error}")


def _understood(lines: Sequence[str]) -> ConfigurationCopy:
    """Raises ``ValueError`` for what is no such answer."""
    if [line for line in lines if line] == [_NONE]:
        return ConfigurationCopy.none()
    now, made_at, path = lines[0].split(" ", 2)
    end = list(lines).index(_LISTED)
    entries = [line.split(None, 5) for line in lines[1:end] if line.startswith("-")]
    names = [(int(parts[2]), parts[5]) for parts in entries if len(parts) == 6]
    texts = base64.b64decode("".join(lines[end + 1 :]))
    parsed: dict[str, tuple[str, ...]] = {}
    for size, name in names:
        if re.search(_PUBLIC, name):
            text, texts = texts[:size].decode("utf-8", "replace"), texts[size:]
            parsed[below(name)] = _store_names(text) if "nodes/" not in name else _keys(text)
    return ConfigurationCopy(
        path=path,
        age_s=float(int(now) - int(made_at)),
        files=tuple(sorted(below(name) for _, name in names)),
        parsed=parsed,
    )


def below(name: str) -> str:
    """A member's name below ``/etc/pve``, however the archive was made."""
    return re.sub(r"^(\./|/)*((etc/)?pve/)?", "", name)


def _store_names(text: str) -> tuple[str, ...]:
    found = (_SECTION.match(line) for line in text.splitlines())
    return tuple(match[1] for match in found if match)


def _keys(text: str) -> tuple[str, ...]:
    """Keys of a guest's configuration as it is now: snapshots follow in sections of their own."""
    current = text.partition("\n[")[0]
    found = (_ENTRY.match(line) for line in current.splitlines())
    return tuple(match[1] for match in found if match)
