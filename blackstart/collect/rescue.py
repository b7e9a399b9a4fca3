"""What a person needs to put a host back by hand, read before anything is armed.

Nothing private leaves the host's answer: keys, passwords, tokens and all comments (people
keep passwords in a guest's notes) are left out before the text is written anywhere.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping

from blackstart.collect.sections import Answer, program, run, shell
from blackstart.drivers.base import CommandRunner
from blackstart.errors import DriverError
from blackstart.model.facts import Observed

LEFT_OUT = "<left out>"
TIMEOUT_S = 40.0
# A guest's configuration file stands on every node of its cluster (pmxcfs(8)).
_GUESTS = """\
for vmid in $1; do
    found=no
    for file in /etc/pve/nodes/*/qemu-server/"$vmid".conf /etc/pve/nodes/*/lxc/"$vmid".conf; do
        [ -e "$file" ] || continue
        found=yes
        echo "== $file"; cat "$file" || exit 1
    done
    [ "$found" = yes ] || { echo "guest $vmid has no configuration here" >&2; exit 1; }
done"""
_FILES = """\
for file in %s; do
    [ -f "$file" ] || continue
    echo "== $file"; cat "$file" || exit 1
done"""
_NETWORK = "/etc/network/interfaces /etc/network/interfaces.d/* /etc/netplan/*.yaml "
_NETWORK += "/etc/systemd/network/*.network /etc/systemd/network/*.netdev"

SECTIONS = (
    shell("guests", 8, _GUESTS),
    shell("fstab", 4, _FILES % "/etc/fstab"),
    program("addresses", 4, "ip", "addr"),
    program("routes", 4, "ip", "route"),
    shell("network", 4, _FILES % _NETWORK),
    shell("exports", 4, _FILES % "/etc/exports /etc/exports.d/*"),
    program("devices", 8, "lsblk", "-f"),
    program("mounts", 5, "findmnt", "--noheadings", "-o", "TARGET,SOURCE,FSTYPE,OPTIONS"),
    shell("cluster", 5, _FILES % "/etc/pve/storage.cfg /etc/pve/corosync.conf"),
)
NEEDED = ("guests", "fstab", "addresses", "routes")
"""Without these a person could not put the host back: then nothing has been saved."""

_PRIVATE = re.compile(
    r"(?i)(pass(word|wd|phrase)?|secret|token|psk|private|preshared|credentials?|\w*[_-]?keys?\d*"
    r"|lxc\.environment\S*)(?=[\s:=\"'])|^env(?=:)"
)
_WORDS_WITH_KEY = re.compile(r"(?i)\w*(secret|token|passw|private|api_?key)\w*(?==)")
_BLOCK_BEGIN, _BLOCK_END = re.compile(r"-----BEGIN "), re.compile(r"-----END ")


def by_hand(runner: CommandRunner, host: str, vmids: Iterable[str]) -> Observed[str]:
    """The text for one host; an error when what is needed could not be read."""
    source = f"ssh {host}"
    wanted = " ".join(vmids)
    try:
        answers = run(runner, host, SECTIONS, arguments=(wanted, ""), timeout_s=TIMEOUT_S)
    except DriverError as error:
        return Observed(source=source, error=str(error))
    missing = [f"{name}: {answers[name].error}" for name in NEEDED if answers[name].error]
    if missing:
        return Observed(source=source, error="; ".join(missing))
    return Observed(source=source, value=text_of(host, answers))


def text_of(host: str, answers: Mapping[str, Answer]) -> str:
    """A file for a person: each section under what was asked; private values left out."""
    parts = [f"# {host}, as it was before the drill. Private values and comments are left out."]
    for section in SECTIONS:
        answer = answers[section.name]
        parts.append(f"\n## {section.name}")
        if answer.error is not None:
            parts.append(f"could not be read: {shlex.quote(answer.error)}")
        parts += without_private(answer.lines)
    return "\n".join([*parts, ""])


def without_private(lines: Iterable[str]) -> list[str]:
    """Lines without comments, without PEM blocks, and without the values of private keys."""
    kept: list[str] = []
    within = False
    for line in lines:
        if _BLOCK_BEGIN.search(line):
            within = True
        if not within and not line.lstrip().startswith(("#", ";")):
            kept.append(_masked(line))
        if _BLOCK_END.search(line):
            within = False
    return kept


def _masked(line: str) -> str:
    """All behind a private key goes: where its value ends cannot be told for certain."""
    found = [match for match in (_PRIVATE.search(line), _WORDS_WITH_KEY.search(line)) if match]
    if not found:
        return line
    return f"{line[: min(match.end() for match in found)]} {LEFT_OUT}"
