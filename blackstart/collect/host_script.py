"""What is asked of a host: one script, one round trip."""

from __future__ import annotations

from blackstart.collect.each_mount import LOCAL, each_mount
from blackstart.collect.sections import builtin, program, shell

READ_S = 5
MOST_OOM_LINES = 50
# The first line of every boot: without it the journal does not reach back to the boot.
BOOT_BANNER = "Linux version"

# A read that reaches the server: a directory is served from an NFS client's cache for up
# to acdirmax seconds (nfs(5)), statfs never is.
_MOUNTS = each_mount(
    f"""\
        case $fstype in
        {LOCAL}) timeout -k 1 {READ_S} ls -Ua -- "$path" ;;
        *) timeout -k 1 {READ_S} sh -c 'stat -f -- "$1" && exec ls -Ua -- "$1"' sh "$path" ;;
        esac >/dev/null 2>&1 && answers=yes || answers=no
        printf '%s %s %s %s\\n' "$answers" "$fstype" "$source" "$target"
"""
)

# grep finds nothing: 1. Its own status is not the answer, journalctl's absence is (127).
_OOM = f"""\
journalctl -k -b -q --no-pager -o short-monotonic |
    grep -m 1000 -iE '{BOOT_BANNER}|out of memory|oom-kill:|oom_reaper' || :
"""

_MEMORY = """\
while read -r key amount unit; do
    case $key in MemAvailable:) echo "$key $amount $unit" ;; esac
done </proc/meminfo"""

_FAILED = ("list-units", "--state=failed", "--plain", "--no-legend", "--no-pager", "--full")

HOST_SECTIONS = (
    builtin("boot_id", "read -r line </proc/sys/kernel/random/boot_id; echo $line"),
    builtin("uptime", "read -r line </proc/uptime; echo $line"),
    builtin("kernel", "read -r line </proc/sys/kernel/osrelease; echo $line"),
    builtin("memory", _MEMORY),
    program("addresses", 3, "ip", "-br", "-4", "addr", "show"),
    shell("mounts", READ_S + 3, _MOUNTS),
    # 1 for every state but "running", and the word is the answer all the same.
    program("state", 5, "systemctl", "is-system-running", statuses=(0, 1)),
    program("failed", 5, "systemctl", *_FAILED),
    shell("oom", 6, _OOM),
    # Its exit status changed over the years; the text decides.
    program("quorum", 4, "corosync-quorumtool", "-s", statuses=(0, 1, 2)),
)
"""In this order: what matters most and cannot hang comes first."""

SOURCES = {
    "boot_id": "/proc/sys/kernel/random/boot_id",
    "uptime": "/proc/uptime",
    "kernel": "/proc/sys/kernel/osrelease",
    "memory": "/proc/meminfo",
    "addresses": "ip -br -4 addr",
    "mounts": f"/proc/self/mounts, each read within {READ_S} s",
    "state": "systemctl is-system-running",
    "failed": "systemctl list-units --state=failed",
    "oom": "journalctl -k -b",
    "quorum": "corosync-quorumtool -s",
}
"""What each section asks, as it is told to a person."""
