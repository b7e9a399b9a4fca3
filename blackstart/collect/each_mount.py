"""Shell text that looks at every mounted file system of a host at once, and waits for none.

All at once, so that ten dead servers cost as much as one.
"""

from __future__ import annotations

from blackstart.model.mounting import COMES_AND_GOES

# Made by the kernel or by engines; a list of what is left out, so that what nobody
# thought of (a new network file system) is looked at.
PSEUDO = (
    "autofs|binfmt_misc|bpf|cgroup|cgroup2|configfs|debugfs|devpts|devtmpfs|efivarfs|fusectl|"
    "hugetlbfs|mqueue|nfsd|nsfs|overlay|proc|pstore|ramfs|rpc_pipefs|securityfs|selinuxfs|"
    "squashfs|sysfs|tmpfs|tracefs"
)
# Block devices of this machine; all else may have a server that is dead.
LOCAL = "ext2|ext3|ext4|xfs|btrfs|zfs|vfat|f2fs|jfs|bcachefs"
_ELSEWHERE = "|".join(f"{directory}/*" for directory in COMES_AND_GOES)


def each_mount(look: str) -> str:
    """Shell text that runs ``look`` beside each mount; it finds ``$path``, ``$target``,
    ``$source`` and ``$fstype``, and must bound itself.

    The path is a word and never a pattern: were one expanded here, it would be read outside
    the bound. %b undoes the octal escapes of proc_pid_mounts(5).
    """
    return f"""\
while read -r source target fstype rest; do
    case $fstype in {PSEUDO}) continue ;; esac
    case $target in {_ELSEWHERE}) continue ;; esac
    {{
        path=$target; case $path in *\\\\*) path=$(printf '%b' "$path") ;; esac
{look}    }} &
done </proc/self/mounts
wait
"""
