"""What a host is asked of its own next boot: one script, one round trip, nothing changed.

Files go over line by line with their numbers, so that evidence can cite them, and with a mark
at their end, so that a carriage return is seen. What may be secret stays on the host.
"""

from __future__ import annotations

from blackstart.collect.boot_docker import DOCKER
from blackstart.collect.boot_loader import LOADER
from blackstart.collect.boot_storage import ETAB, EXPORTS, MDADM, MORE_EXPORTS, STORAGE
from blackstart.collect.each_mount import LOCAL, each_mount
from blackstart.collect.host_script import HOST_SECTIONS
from blackstart.collect.sections import Section, builtin, program, shell, where_there_is
from blackstart.model.host_units import UNIT_FILES

READ_S = 5
MOST_ROWS = 3000
NETWORK_FILES = "/etc/network/interfaces"
LINK_DIRECTORIES = ("/etc/systemd/network", "/usr/local/lib/systemd/network")
_JOURNAL = ("journalctl", "-b", "-q", "--no-pager")
_UNIT_PROPERTIES = (
    "Id,LoadState,ActiveState,SubState,UnitFileState,FragmentPath,SourcePath,Where,NeedDaemonReload,"
    "WantedBy,RequiredBy,UpheldBy,BoundBy,TriggeredBy"
)
# systemd's own (sd-messages.h): a unit failed and why; a process of it was killed for memory;
# somebody asked for a shutdown.
_FAILED, _KILLED, _SHUTDOWN = (
    "MESSAGE_ID=d9b373ed55a64feb8242e02dbe79a49c",
    "MESSAGE_ID=fe6faa94e7774663a0da52717891d8ef",
    "MESSAGE_ID=98268866d1d54a499c4e98921d93bc40",
)

# $2 says what of a file may leave the host: `words` only what belongs to a configuration
# of bridges (a wireless password stands in the same file), `forced` one word, `table` all
# but passwords among a mount's options.
_SHOW = f"""\
show() {{
    [ -f "$1" ] || return 0
    printf 'file %s\\n' "$1"
    [ -r "$1" ] || {{ echo 'cut: not readable'; return 0; }}
    row=0 before=''
    while IFS= read -r line || [ -n "$line" ]; do
        row=$((row + 1))
        [ "$row" -le {MOST_ROWS} ] || {{ echo 'cut: too long'; break; }}
        kept=$line
        case $2 in
        words) case $before$line in
            *\\\\*|*auto*|*allow-*|*iface*|*source*|*bridge*|*vlan*|*bond*|*slaves*|*ovs_*) ;;
            *) kept='' ;; esac ;;
        forced) case $line in *SYSTEMD_SULOGIN_FORCE=1*) kept=forced ;; *) kept='' ;; esac ;;
        table) for key in pass= passwd= password= password2=; do
            case $kept in *[,[:blank:]]"$key"*) ;; *) continue ;; esac
            tail=${{kept#*[,[:blank:]]"$key"}} head=${{kept%"$tail"}}
            kept=${{head}}hidden${{tail#"${{tail%%[,[:blank:]]*}}"}}
            done ;;
        esac
        case $line in *\\\\) before='\\' ;; *) before='' ;; esac
        printf '%s:%s|\\n' "$row" "$kept"
    done <"$1"
}}
"""
_FILES = (
    _SHOW
    + f"""\
for file in /etc/hosts /etc/resolv.conf /run/systemd/resolve/resolv.conf /etc/crypttab \\
    /etc/kernel/proxmox-boot-uuids /etc/kernel/proxmox-boot-pin /etc/kernel/next-boot-pin \\
    {MDADM} {ETAB} {EXPORTS} {MORE_EXPORTS}*.exports; do
    show "$file" all
done
show /etc/fstab table
for file in {NETWORK_FILES} {NETWORK_FILES}.d/*; do show "$file" words; done
for file in {" ".join(f"{directory}/*.link" for directory in LINK_DIRECTORIES)}; do
    show "$file" all
done
for file in /etc/systemd/system/emergency.service.d/*.conf; do show "$file" forced; done
:"""
)
_CONTAINER = """\
kind=''
[ ! -r /run/systemd/container ] || read -r kind </run/systemd/container || :
printf 'container %s\\n' "$kind\""""
# Never the hash itself.
_ROOT = """\
while IFS=: read -r user hash rest; do
    [ "$user" = root ] || continue
    case $hash in '!'*|'*'*) echo locked ;; *) echo open ;; esac
done </etc/shadow"""
_KERNELS = """\
read -r release </proc/sys/kernel/osrelease; printf 'running %s\\n' "$release"
for file in /boot/vmlinuz-* /boot/vmlinux-*; do
    [ ! -s "$file" ] || printf 'image %s\\n' "${file#/boot/vmlinu?-}"
done
for file in /boot/kernel*.img /boot/firmware/kernel*.img; do
    [ ! -s "$file" ] || printf 'firmware %s\\n' "$file"
done
for file in /boot/initrd.img-* /boot/initramfs-*.img; do
    [ -s "$file" ] || continue
    file=${file#/boot/initrd.img-} file=${file#/boot/initramfs-}
    printf 'initrd %s\\n' "${file%.img}"
done
for file in /lib/modules/*/modules.dep; do
    file=${file#/lib/modules/}
    [ "$file" = '*/modules.dep' ] || printf 'modules %s\\n' "${file%/modules.dep}"
done
:"""
# Since Linux 4.13; a journal that was cut does not reach back to the boot, this does.
_OOM_COUNT = """\
while read -r key amount; do
    case $key in oom_kill) printf '%s\\n' "$amount" ;; esac
done </proc/vmstat"""
_MOUNTED = """while read -r line; do printf '%s\\n' "$line"; done </proc/self/mounts"""
# In a shell of its own: a key on a dead mount must not hang the script.
_CRYPT_KEYS = """\
[ -e /etc/crypttab ] || exit 0
while read -r volume device key rest; do
    case $volume$key in '#'*) ;; */*) [ ! -e "$key" ] || printf '%s\\n' "$key" ;; esac
done </etc/crypttab"""
# %f would leave the host with names of somebody's files; one dot is enough.
_CONTENT = each_mount(
    f"""\
        case $fstype in
        {LOCAL}) found=$(timeout -k 1 {READ_S} find "$path" -mindepth 1 -maxdepth 1 \\
            ! -name lost+found -printf . -quit) ;;
        *) found=$(timeout -k 1 {READ_S} sh -c 'stat -f -- "$1" >/dev/null &&
            exec find "$1" -mindepth 1 -maxdepth 1 ! -name lost+found -printf . -quit' sh "$path") ;;
        esac 2>/dev/null && said=${{found:-nothing}} || said=lost
        printf '%s %s\\n' "$said" "$target"
"""  # noqa: E501 - as it reads best in a shell
)
_ROOM = """\
set -- /
for path in /boot /boot/efi /var /var/lib/docker; do
    [ ! -d "$path" ] || set -- "$@" "$path"
done
stat -f -c '%S %b %a %c %d %n' -- "$@" """
_RUNTIME = """\
for file in /run/systemd/system/*.wants/* /run/systemd/system/*.requires/*; do
    [ ! -L "$file" ] || printf '%s\\n' "${file##*/}"
done
:"""
# 2: the name is not known, which is an answer.
_OWN_NAME = """\
read -r own </proc/sys/kernel/hostname; printf '%s\\n' "$own"
getent ahosts "$own" || [ $? -eq 2 ]"""
_STAGED = f"if [ -s {NETWORK_FILES}.new ]; then echo staged; else echo none; fi"
_LISTENING = """\
for file in /proc/net/tcp /proc/net/tcp6; do
    [ -r "$file" ] || continue
    while read -r slot local remote state rest; do
        [ "$state" != 0A ] || printf '%s\\n' "${local##*:}"
    done <"$file"
done
:"""
# Without an earlier boot journalctl says so in other words before its version 256, and in
# others yet where it keeps nothing.
# The last line of a boot that ended in order is the journal's own; where /var is unmounted
# first, the way down has left other lines.
_LAST_END = f"""\
[ -d /var/log/journal ] || {{ echo 'nothing kept'; exit 0; }}
down='UNIT=shutdown.target + UNIT=umount.target + UNIT=final.target + {_SHUTDOWN}'
said=$(journalctl -b -1 -q --no-pager -o cat -n 1 $down 2>&1); status=$?
case $said in
*'o journal boot entry'*|*'o such boot'*|*'no effect'*) echo 'no earlier boot'; exit 0 ;;
esac
[ "$status" -eq 0 ] || {{ printf '%s\\n' "$said" >&2; exit "$status"; }}
[ -z "$said" ] || {{ echo ordered; exit 0; }}
last=$(journalctl -b -1 -q --no-pager -o cat -n 1) || exit
if [ "$last" = 'Journal stopped' ]; then echo ordered; else echo abrupt; fi"""
_CRASHES = """\
for file in /sys/fs/pstore/* /var/lib/systemd/pstore/*; do
    [ ! -e "$file" ] || printf '%s\\n' "$file"
done
:"""
# Only the name itself leaves the host: beside it may stand a password.
_DEVICE_NAMES = r"""set --
for file in /etc/crontab /etc/cron.*/* /var/spool/cron/crontabs/* /etc/vzdump.conf \
    /etc/systemd/system/*.service /usr/local/bin/* /usr/local/sbin/*; do
    [ ! -f "$file" ] || set -- "$@" "$file"
done
[ $# -gt 0 ] || exit 0
grep -IHnoP -m 20 '^[^#]*\K/dev/(sd[a-z]+|hd[a-z]|x?vd[a-z]+|nvme\d+n\d+|mmcblk\d+)(p?\d+)?\b' \
    -- "$@" || [ $? -eq 1 ]"""
# Bounded: what is below /etc/pve hangs when its file system does (pmxcfs(8)).
_CLUSTER_FILE = """\
own=/etc/corosync/corosync.conf
if [ ! -d /etc/pve ]; then
    [ -e "$own" ] && echo alone || echo none
    exit 0
fi
if [ ! -e "$own" ]; then
    [ ! -e /etc/pve/corosync.conf ] || { echo differs; exit 0; }
    # Only a mounted one can say that there is none (pmxcfs(8) makes this link).
    [ -L /etc/pve/local ] || exit 1
    echo none
    exit 0
fi
cmp -s /etc/corosync/corosync.conf /etc/pve/corosync.conf
case $? in 0) echo same ;; 1) echo differs ;; *) exit 1 ;; esac"""
_CONTROLLER = "if [ -e /dev/ipmi0 ]; then echo yes; else echo no; fi"


_LSBLK = ("lsblk", "-J", "-l", "-o", "PATH,TYPE,FSTYPE,UUID,LABEL,PARTUUID,PARTLABEL,TRAN")
_LINK = ("-printf", "%p %l\\n")
_UNITS = ("*.service", "*.mount", "*.automount", "*.swap")
_UNIT_FILES = (
    "systemctl",
    "list-unit-files",
    "--plain",
    "--no-legend",
    "--no-pager",
    "--full",
    *UNIT_FILES,
)


def _host(name: str) -> Section:
    return next(section for section in HOST_SECTIONS if section.name == name)


BOOT_SECTIONS = (
    builtin("container", _CONTAINER),
    builtin("files", _FILES),
    builtin("root", _ROOT),
    builtin("kernels", _KERNELS),
    builtin("oom_count", _OOM_COUNT),
    builtin("mounted", _MOUNTED),
    builtin("runtime", _RUNTIME),
    builtin("staged", _STAGED),
    builtin("listening", _LISTENING),
    builtin("crashes", _CRASHES),
    builtin("controller", _CONTROLLER),
    *LOADER,
    *STORAGE,
    where_there_is(
        shell("cluster_file", 5, _CLUSTER_FILE),
        "/etc/corosync",
        otherwise="echo none",
    ),
    program("cards", 4, "ip", "-j", "-s", "-d", "addr", "show"),
    program("bridging", 4, "bridge", "-j", "-compressvlans", "vlan", "show"),
    program("devices", 6, *_LSBLK),
    program("links", 5, "find", "/dev", "-xdev", "-maxdepth", "3", "-type", "l", *_LINK),
    shell("rooms", 5, _ROOM),
    shell("crypt_keys", 4, _CRYPT_KEYS),
    shell("content", READ_S + 3, _CONTENT),
    shell("own_name", 6, _OWN_NAME),
    program("units", 20, "systemctl", "show", "--no-pager", "-p", _UNIT_PROPERTIES, *_UNITS),
    program("unit_files", 10, *_UNIT_FILES),
    _host("failed"),
    program("clock", 6, "timedatectl", "show", "-p", "NTPSynchronized"),
    _host("oom"),
    program("failures", 6, *_JOURNAL, "-o", "short-iso", "-n", "200", _FAILED, _KILLED),
    shell("last_end", 8, _LAST_END),
    shell("device_names", 8, _DEVICE_NAMES),
    *DOCKER,
)
"""In this order: what cannot hang comes first."""

SOURCES = {
    "container": "/run/systemd/container",
    "files": "/etc",
    "root": "root in /etc/shadow",
    "kernels": "/boot, /lib/modules, /proc/sys/kernel/osrelease",
    "oom_count": "oom_kill of /proc/vmstat",
    "mounted": "/proc/self/mounts",
    "runtime": "/run/systemd/system/*.wants",
    "staged": f"{NETWORK_FILES}.new",
    "listening": "/proc/net/tcp, /proc/net/tcp6",
    "crashes": "/sys/fs/pstore, /var/lib/systemd/pstore",
    "controller": "/dev/ipmi0",
    "cards": "ip -s -d addr",
    "bridging": "bridge vlan show",
    "devices": "lsblk",
    "links": "find /dev -type l",
    "rooms": "stat -f",
    "crypt_keys": "key files of /etc/crypttab",
    "content": f"/proc/self/mounts, each looked into within {READ_S} s",
    "own_name": "getent ahosts $(hostname)",
    "units": "systemctl show",
    "unit_files": "systemctl list-unit-files",
    "failed": "systemctl list-units --state=failed",
    "clock": "timedatectl show",
    "oom": "journalctl -k -b",
    "failures": "journalctl -b, failed units and kills for memory",
    "last_end": "journalctl -b -1",
    "device_names": "cron, /etc/systemd/system, /usr/local/bin, /usr/local/sbin, vzdump.conf",
    "arrays": "/proc/mdstat",
    "datasets": "zfs get keylocation",
    "loader": "LoaderInfo of the firmware, /boot/grub, /boot/grub2, grub-install",
    "menus": "grub.cfg below /boot/grub, /boot/grub2, /boot/efi/EFI",
    "lvm": "/etc/lvm/lvm.conf, /etc/lvm/lvmlocal.conf",
    "cluster_file": "cmp /etc/corosync/corosync.conf /etc/pve/corosync.conf",
    "docker": "docker inspect",
    "definitions": "docker compose config --services",
}
"""What each section asks, as it is told to a person."""
