"""Whether paths of a host are there, and how much memory ZFS may take: what no API shows."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence

from blackstart.collect.sections import Section, builtin, run, shell
from blackstart.drivers.base import CommandRunner
from blackstart.errors import DriverError
from blackstart.model.observed import Observed
from blackstart.model.readiness import HostFiles

TIMEOUT_S = 14.0
# A path on a dead mount hangs whoever looks, so that these are looked at in a bounded shell.
_PATHS = """\
for path in %s; do
    if [ -e "$path" ]; then echo "yes $path"; else echo "no $path"; fi
done"""
# c_max is the limit that is in force (zfs(4), zfs_arc_max).
_ARC = """\
if [ -r /proc/spl/kstat/zfs/arcstats ]; then
    while read -r key type value; do
        case $key in c_max) echo "$value" ;; esac
    done </proc/spl/kstat/zfs/arcstats
else echo 0; fi"""


def file_sections(paths: Sequence[str]) -> tuple[Section, ...]:
    """What is asked for ZFS' limit and for these paths."""
    arc = builtin("arc", _ARC)
    return (arc, shell("paths", 5, _PATHS % shlex.join(paths))) if paths else (arc,)


def look_at_files(runner: CommandRunner, host: str, paths: Iterable[str]) -> Observed[HostFiles]:
    """Which of these absolute paths are there; never raises ``DriverError``."""
    source = f"ssh {host}: test -e"
    wanted = sorted(set(paths))
    try:
        answers = run(runner, host, file_sections(wanted), timeout_s=TIMEOUT_S)
    except DriverError as error:
        return Observed(source=source, error=str(error))
    wrong = [f"{name}: {answer.error}" for name, answer in answers.items() if answer.error]
    if wrong:
        return Observed(source=source, error="; ".join(wrong))
    there = {
        path: said == "yes"
        for line in (answers["paths"].lines if wanted else ())
        for said, _, path in [line.partition(" ")]
    }
    lost = set(wanted) - set(there)
    arc = "".join(answers["arc"].lines)
    if lost or not arc.isdigit():
        return Observed(source=source, error=f"not understood: {', '.join(sorted(lost)) or arc}")
    return Observed(source=source, value=HostFiles(there=there, arc_max=int(arc)))
