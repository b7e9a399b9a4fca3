"""What memory faults look at: what there is, whether sshd survives, whom the kernel killed.

The proof of an OOM kill is the kernel's own record (``/dev/kmsg``: every record has a sequence
number, Documentation/ABI/testing/dev-kmsg). journald may be starved just then, and a clock
that was set makes "since" lie; a sequence number is neither.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from blackstart.drivers.base import Site
from blackstart.errors import Rejected
from blackstart.model.oom import killed_guest
from blackstart.model.undo import StartGuest

LOOK_TIMEOUT_S = 15.0
SSHD_MUST_BE_BELOW = -900
"""``oom_score_adj`` (proc_pid_oom_score_adj(5)): -1000 is never killed; Debian's sshd sets it."""

MEMORY = """\
grep -E '^(MemTotal|MemAvailable|SwapFree):' /proc/meminfo
cd /sys/fs/cgroup && [ -r memory.max ] && grep -H . memory.max memory.current &&
    grep -E '^(in)?active_file ' memory.stat
true"""
"""A container may have less than its kernel: its own limit counts, where it can be seen."""

SSHD = """\
for unit in ssh sshd; do
    pid=$(systemctl show --property=MainPID --value $unit.service 2>/dev/null)
    [ "${pid:-0}" -gt 0 ] && exec cat /proc/$pid/oom_score_adj
done
systemctl --quiet is-active ssh.socket || systemctl --quiet is-active sshd.socket || exit 1
echo socket"""
"""With a socket unit the listener is systemd itself, which the kernel never kills."""

KILLS = """\
cat /proc/sys/kernel/random/boot_id
dd if=/dev/kmsg iflag=nonblock bs=8192 2>/dev/null | grep -a '^[0-9]' |
    sed -n 's/^[0-9]*,\\([0-9]*\\),[^;]*;/\\1 /; /^[0-9]* oom-kill:/ p; $ p'"""
"""Boot id, then every OOM kill of this boot, then the newest record, each with its number."""

RUNNING_GUESTS = """\
machines=$(qm list) && containers=$(pct list) || exit 1
echo "$machines" | awk '$3 == "running" {print "qm", $1}'
echo "$containers" | awk '$2 == "running" {print "pct", $1}'"""
"""All of the node, declared or not: the kernel does not read inventories."""

_KILL = re.compile(r"^(\d+) (oom-kill:\S*global_oom,task_memcg=\S+?,task=(.+?),pid=\d+\b.*)")


@dataclass(frozen=True, slots=True)
class Memory:
    """MiB that a host has, could still give away, and could swap out."""

    total_mib: int
    available_mib: int
    swap_mib: int


@dataclass(frozen=True, slots=True)
class Kill:
    """One process that the kernel killed because the whole machine was out of memory.

    ``number`` is its record's, ``vmid`` the guest that it belonged to, if it did.
    """

    number: int
    vmid: int | None
    task: str
    line: str


@dataclass(frozen=True, slots=True)
class Kernel:
    """A boot and what its kernel has killed so far; ``newest`` is its last record's number."""

    boot_id: str
    newest: int
    kills: tuple[Kill, ...]


def look_at_memory(site: Site, host: str) -> Memory:
    """Memory of a host or guest now. Raises ``DriverError``."""
    result = site.runner.run(host, MEMORY, timeout_s=LOOK_TIMEOUT_S)
    words = (re.split(r"[: ]+", line) for line in result.stdout.splitlines())
    found = {word[0]: word[1] for word in words if len(word) > 1}
    try:
        total, available = int(found["MemTotal"]) // 1024, int(found["MemAvailable"]) // 1024
        swap = int(found["SwapFree"]) // 1024
        limit = found.get("memory.max", "max")
        if limit != "max" and int(limit) // 2**20 < total:
            files = int(found["active_file"]) + int(found["inactive_file"])
            total = int(limit) // 2**20
            free = (int(limit) - int(found["memory.current"]) + files) // 2**20
            available = min(available, free)
    except (KeyError, ValueError) as error:
        raise Rejected(f"{host}: its memory cannot be read: {error}") from error
    return Memory(total, available, swap)


def require_protected_sshd(site: Site, host: str) -> None:
    """Refuse where the kernel may kill the way in. Raises ``Rejected`` with the remedy."""
    result = site.runner.run(host, SSHD, timeout_s=LOOK_TIMEOUT_S)
    said = result.stdout.strip()
    if said == "socket":
        return
    remedy = (
        "give it OOMScoreAdjust=-1000 (systemctl edit ssh.service, section [Service]) "
        "and restart it"
    )
    if not result.ok or not re.fullmatch(r"-?\d+", said):
        raise Rejected(f"{host}: whether the OOM killer spares its sshd cannot be seen; {remedy}")
    if int(said) > SSHD_MUST_BE_BELOW:
        raise Rejected(
            f"{host}: the OOM killer may take its sshd (oom_score_adj {said}), and with it the "
            f"way in; {remedy}"
        )


def look_at_kernel(site: Site, host: str) -> Kernel:
    """Which boot this is and whom its kernel killed. Raises ``DriverError``."""
    result = site.runner.run(host, KILLS, timeout_s=LOOK_TIMEOUT_S)
    lines = result.stdout.splitlines()
    if len(lines) < 2 or not lines[-1].partition(" ")[0].isdigit():
        raise Rejected(f"{host}: its kernel's log cannot be read: {result.stderr.strip()}")
    # The newest record is printed once more: it may be a kill itself.
    kills = {match[1]: _kill(match) for line in lines[1:] if (match := _KILL.match(line))}
    return Kernel(lines[0], int(lines[-1].partition(" ")[0]), tuple(kills.values()))


def _kill(match: re.Match[str]) -> Kill:
    return Kill(int(match[1]), killed_guest(match[2]), match[3], match[2])


def starts_of_running(site: Site, node: str) -> tuple[StartGuest, ...]:
    """The undo of a kill, for every guest that runs on a node now. Raises ``DriverError``."""
    result = site.runner.run(node, RUNNING_GUESTS, timeout_s=LOOK_TIMEOUT_S)
    if not result.ok:
        raise Rejected(f"{node}: its guests cannot be listed: {result.stderr.strip()}")
    starts = tuple(
        StartGuest.model_validate({"tool": tool, "vmid": int(vmid)})
        for tool, vmid in (line.split() for line in result.stdout.splitlines())
    )
    if not starts:
        raise Rejected(f"{node}: no guest runs that its kernel could kill")
    return starts
