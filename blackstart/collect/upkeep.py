"""Work under way on a host, and damage of its storage: two scripts, each one round trip.

What a host does not have is proven by its kernel: a module that is not loaded holds no
array and no pool. Formats: proc_locks(5), md(4), zpool-status(8), btrfs-device(8), ceph(8).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TypeVar

from blackstart.collect.boot_storage import CONTAINER
from blackstart.collect.sections import Answer, Section, builtin, run, shell
from blackstart.drivers.base import CommandRunner
from blackstart.errors import DriverError
from blackstart.model.circumstances import StorageHealth
from blackstart.model.facts import Observed

ABSENT = "absent"
# One process for all of them; dpkg and apt hold fcntl locks while they work, and only then.
_PACKAGES = """\
stat -c '%i %n' /var/lib/dpkg/lock-frontend /var/lib/dpkg/lock \\
    /var/lib/apt/lists/lock /var/cache/apt/archives/lock 2>/dev/null |
while read -r inode path; do
    while read -r line; do
        case $line in *":$inode "*) echo "$path"; break ;; esac
    done </proc/locks
done
[ -r /proc/locks ]
"""
# Programs that are at work whenever they run, but for those that only wait to be asked.
_PROGRAMS = (
    "apt|apt-get|aptitude|dpkg|dnf|yum|zypper|pacman|apk|"
    "vzdump|restic|borg|duplicity|rclone|kopia|rsync|zfs|btrfs|e2fsck|fsck.ext4|xfs_repair"
)
_WAITING = "*--daemon*|*'rclone '[ms]*|*'kopia '[ms]*|*'restic mount'*|*'borg mount'*"
# Not `name`: that is the script's own (blackstart.collect.sections).
_PROCESSES = f"""\
for file in /proc/[0-9]*/comm; do
    read -r program 2>/dev/null <"$file" || continue
    case $program in {_PROGRAMS}) ;; *) continue ;; esac
    words=$(tr '\\0' ' ' <"${{file%comm}}cmdline" 2>/dev/null) || continue
    case $words in ''|{_WAITING}) continue ;; esac
    echo "$program"
done
:"""
_MD = """\
if [ -e /proc/mdstat ]; then
    while read -r line; do echo "$line"; done </proc/mdstat
else echo absent; fi"""
_ZFS_WORK = "if [ -e /sys/module/zfs ]; then zpool status; else echo absent; fi"
_ZFS_HEALTH = "if [ -e /sys/module/zfs ]; then zpool status -x; else echo absent; fi"
_BTRFS = """\
none=yes
while read -r source target fstype rest; do
    [ "$fstype" = btrfs ] || continue
    case " $seen " in *" $source "*) continue ;; esac
    seen="$seen $source" none=no
    %s
done </proc/self/mounts
[ "$none" = no ] || echo absent"""
_BTRFS_WORK = _BTRFS % 'btrfs scrub status "$target" || exit 1'
_BTRFS_HEALTH = _BTRFS % 'btrfs device stats "$target" || exit 1'
_CEPH = """\
if [ -e /etc/ceph/ceph.conf ] || [ -e /etc/pve/ceph.conf ]; then ceph health; else echo absent; fi
"""

WORK = (
    builtin("md", _MD),
    builtin("programs", _PROCESSES),
    shell("packages", 5, _PACKAGES),
    shell("zfs", 8, _ZFS_WORK),
    shell("btrfs", 8, _BTRFS_WORK),
)
STORAGE = (
    builtin("md", _MD),
    shell("zfs", 8, _ZFS_HEALTH),
    shell("btrfs", 8, _BTRFS_HEALTH),
    shell("ceph", 8, _CEPH),
)
TIMEOUT_S = 30.0

_MD_ARRAY = re.compile(r"^(md\S*) : (\S+)")
_MD_WORK = re.compile(r"\b(resync|recovery|reshape|check|repair)\s*=")
_MD_MEMBERS = re.compile(r"\[(\d+)/(\d+)\]")
_ZFS_SCAN = re.compile(r"scan: (scrub|resilver) in progress")
_BTRFS_ERRORS = re.compile(r"^\[(.+)\]\.(\w+)\s+(\d+)$")

Lines = tuple[str, ...]
T = TypeVar("T")


def look_for_work(runner: CommandRunner, host: str) -> Observed[tuple[str, ...]]:
    """Backups, scrubs, resyncs and upgrades under way on a host, in words."""
    return _look(runner, host, WORK, work_in)


def look_at_storage(runner: CommandRunner, host: str) -> Observed[StorageHealth]:
    """Damage of a host's arrays and pools."""
    return _look(runner, host, STORAGE, health_in)


def _look(
    runner: CommandRunner,
    host: str,
    sections: tuple[Section, ...],
    understand: Callable[[Mapping[str, Lines]], T],
) -> Observed[T]:
    source = f"ssh {host}"
    try:
        answers = run(runner, host, sections, timeout_s=TIMEOUT_S)
    except DriverError as error:
        return Observed(source=source, error=str(error))
    unread = _unread(answers)
    if unread:
        return Observed(source=source, error=unread)
    return Observed(
        source=source,
        value=understand({name: answer.lines for name, answer in answers.items()}),
    )


def _unread(answers: Mapping[str, Answer]) -> str:
    return "; ".join(
        f"{name}: {answer.error}" for name, answer in answers.items() if answer.error is not None
    )


def work_in(lines: Mapping[str, Lines]) -> tuple[str, ...]:
    """What the answers show to be at work."""
    found: list[str] = []
    array = ""
    for line in lines["md"]:
        match = _MD_ARRAY.match(line)
        array = match[1] if match else array
        working = _MD_WORK.search(line)
        if working:
            found.append(f"{working[1]} of {array}")
    found += [f"{name} runs" for name in sorted(set(lines["programs"]))]
    found += [f"{path} is held" for path in lines["packages"]]
    pool = ""
    for line in lines["zfs"]:
        if line.strip().startswith("pool:"):
            pool = line.partition(":")[2].strip()
        scan = _ZFS_SCAN.search(line)
        if scan:
            found.append(f"{scan[1]} of pool {pool}")
    if any(re.match(r"\s*Status:\s+running", line) for line in lines["btrfs"]):
        found.append("scrub of btrfs")
    return tuple(found)


def health_in(lines: Mapping[str, Lines]) -> StorageHealth:
    """What the answers show to be damaged, and what there is to be damaged."""
    damage: list[str] = []
    for kind, judge in (("md", _md), ("zfs", _zfs), ("btrfs", _btrfs), ("ceph", _ceph)):
        if lines[kind] != (ABSENT,):
            damage += judge(lines[kind])
    seen = tuple(
        f"no {kind}" if lines[kind] == (ABSENT,) else f"{kind} looked at" for kind in lines
    )
    return StorageHealth(damage=tuple(damage), seen=seen)


def _md(lines: Lines) -> list[str]:
    found: list[str] = []
    array = ""
    for line in lines:
        match = _MD_ARRAY.match(line)
        if match:
            array = match[1]
            if match[2] != "active":
                found.append(f"{array} is {match[2]}")
            if "(F)" in line:
                found.append(f"{array} has a failed disk")
        if CONTAINER.search(line):
            found = [item for item in found if not item.startswith(f"{array} ")]
        members = _MD_MEMBERS.search(line)
        if members and int(members[2]) < int(members[1]):
            found.append(f"{array} has {members[2]} of {members[1]} disks")
    return found


def _zfs(lines: Lines) -> list[str]:
    text = [line.strip() for line in lines if line.strip()]
    if text in (["all pools are healthy"], ["no pools available"], []):
        return []
    found = []
    pool = "a pool"
    for line in text:
        key, _, value = line.partition(":")
        if key == "pool":
            pool = f"pool {value.strip()}"
        elif key == "state":
            found.append(f"{pool} is {value.strip()}")
    return found or [f"zpool says: {text[0]}"]


def _btrfs(lines: Lines) -> list[str]:
    found = []
    for line in lines:
        match = _BTRFS_ERRORS.match(line.strip())
        if match and int(match[3]):
            found.append(f"{match[1]} has {match[3]} {match[2]}")
    return found


def _ceph(lines: Lines) -> list[str]:
    text = " ".join(line.strip() for line in lines)
    return [] if text.startswith("HEALTH_OK") else [f"ceph says {text[:120] or 'nothing'}"]
