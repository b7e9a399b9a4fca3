"""What is asked of a host: one script, one round trip."""

from __future__ import annotations

from blackstart.collect.sections import Section

READ_S = 3
MOST_KERNEL_LINES = 20_000
MOST_OOM_LINES = 50

# Made by the kernel or by engines; a list of what is left out, so that what nobody
# thought of (a new network file system) is looked at.
_PSEUDO = (
    "autofs|binfmt_misc|bpf|cgroup|cgroup2|configfs|debugfs|devpts|devtmpfs|efivarfs|fusectl|"
    "hugetlbfs|mqueue|nfsd|nsfs|overlay|proc|pstore|ramfs|rpc_pipefs|securityfs|selinuxfs|"
    "squashfs|sysfs|tmpfs|tracefs"
)

# A read that reaches the server: ls alone is served from an NFS client's cache for up to
# acdirmax seconds (nfs(5)), statfs never is. Its own sh: were the path expanded by this
# one, it would be read outside the bound. All mounts at once, so that ten dead ones cost
# as much as one. %b undoes the octal escapes of proc_pid_mounts(5).
_MOUNTS = f"""\
while read -r source target fstype rest; do
    case $fstype in {_PSEUDO}) continue ;; esac
    case $target in /proc/*|/sys/*|/dev/*|/run/*|/var/lib/docker/*) continue ;; esac
    (
        answers=no
        timeout -k 1 {READ_S} sh -c 'stat -f -- "$1" && [ -n "$(ls -Ua -- "$1" | head -n 1)" ]' \\
            sh "$(printf '%b' "$target")" >/dev/null 2>&1 && answers=yes
        printf '%s %s %s %s\\n' "$answers" "$fstype" "$source" "$target"
    ) &
done </proc/self/mounts
wait
"""

# Without a journal journalctl prints nothing and is content; every boot has kernel lines.
_OOM = f"""\
lines=$(journalctl -k -b -q --no-pager -o short-monotonic -n {MOST_KERNEL_LINES}) || exit
[ -n "$lines" ] || {{ echo 'the journal has no kernel line of this boot' >&2; exit 1; }}
printf '%s\\n' "$lines" |
    grep -iE 'out of memory|oom-kill:|oom_reaper' | tail -n {MOST_OOM_LINES}
exit 0
"""

# is-system-running exits with 1 for every state but "running": the word is the answer.
_STATE = 'state=$(systemctl is-system-running 2>&1); echo "$state"'

_QUORUM = """\
command -v corosync-quorumtool >/dev/null || { echo 'no corosync on this host' >&2; exit 1; }
lines=$(corosync-quorumtool -s 2>&1)
printf '%s\\n' "$lines" | grep -q '^Total votes:' || { printf '%s\\n' "$lines" >&2; exit 1; }
printf '%s\\n' "$lines"
"""

HOST_SECTIONS = (
    Section("boot_id", 2, "cat /proc/sys/kernel/random/boot_id"),
    Section("uptime", 2, "cat /proc/uptime"),
    Section("kernel", 2, "uname -r"),
    Section("memory", 2, "cat /proc/meminfo"),
    Section("addresses", 2, "ip -br -4 addr show"),
    Section("mounts", READ_S + 3, _MOUNTS),
    Section("state", 4, _STATE),
    Section(
        "failed", 4, "systemctl list-units --state=failed --plain --no-legend --no-pager --full"
    ),
    Section("oom", 5, _OOM),
    Section("quorum", 3, _QUORUM),
)
"""In this order: what matters most and cannot hang comes first."""

SOURCES = {
    "boot_id": "/proc/sys/kernel/random/boot_id",
    "uptime": "/proc/uptime",
    "kernel": "uname -r",
    "memory": "/proc/meminfo",
    "addresses": "ip -br -4 addr",
    "mounts": f"/proc/self/mounts, each read within {READ_S} s",
    "state": "systemctl is-system-running",
    "failed": "systemctl list-units --state=failed",
    "oom": "journalctl -k -b",
    "quorum": "corosync-quorumtool -s",
}
"""What each section asks, as it is told to a person."""
