"""Which program loads a host's kernel, and how long its menu waits.

Formats: the GRUB manual (``timeout``: unset or negative waits for a key, for as long as it
takes), and the boot loader interface of systemd (``LoaderInfo``: its name, in UTF-16 behind four
bytes of attributes).
"""

from __future__ import annotations

import re

from blackstart.collect.host_parse import NotUnderstood
from blackstart.collect.sections import Section, builtin, shell, where_there_is
from blackstart.model.host_boot import BootLoader, MenuTimeout

# With systemd-boot, GRUB is often installed all the same, and nobody asks it.
_LOADER = """\
for file in /sys/firmware/efi/efivars/LoaderInfo-*; do
    [ -e "$file" ] || continue
    named=''
    IFS= read -r named <"$file" || [ -n "$named" ] || { echo unreadable; continue; }
    printf 'named %s\\n' "$named"
done
for file in /boot/grub /boot/grub2 /usr/sbin/grub-install /usr/sbin/grub2-install; do
    [ ! -e "$file" ] || printf 'grub %s\\n' "$file"
done
:"""
# Fedora and its kin had the whole menu beside the loader; elsewhere a few lines lead to it.
_MENUS = r"""set --
for file in /boot/grub/grub.cfg /boot/grub2/grub.cfg /boot/efi/EFI/*/grub.cfg; do
    [ ! -f "$file" ] || set -- "$@" "$file"
done
[ $# -gt 0 ] || exit 0
grep -HnE -e '^([^#]*[[:space:];])?timeout=' -- "$@" || [ $? -eq 1 ]"""
LOADER: tuple[Section, ...] = (
    builtin("loader", _LOADER),
    where_there_is(shell("menus", 5, _MENUS), "/boot/grub", "/boot/grub2", "/boot/efi/EFI"),
)
_LINE = re.compile(r"^(/[^:]+):(\d+):([^#]*)")
_TIMEOUT = re.compile(r"""(?:^|[\s;])((?:set\s+)?timeout=["']?(-?\d+)["']?)(?=[\s;]|$)""")
_UNPRINTED = re.compile(r"[^ -~]")

Lines = tuple[str, ...]


def read_loader(lines: Lines) -> BootLoader:
    """What named itself to the firmware, and signs of GRUB. Raises ``ValueError``."""
    named, grub = "", []
    for line in lines:
        kind, _, rest = line.partition(" ")
        if kind == "named":
            named = _UNPRINTED.sub("", rest).strip()
        elif kind == "grub":
            grub.append(rest)
        else:
            raise NotUnderstood(line[:80])
    return BootLoader(named=named, grub=tuple(grub))


def read_menus(lines: Lines) -> tuple[MenuTimeout, ...]:
    """Every timeout that a menu sets as a number. Raises ``ValueError``."""
    found = []
    for line in lines:
        match = _LINE.match(line)
        if match is None:
            raise NotUnderstood(line[:80])
        found += [
            MenuTimeout(file=match[1], line=int(match[2]), text=text, seconds=int(seconds))
            for text, seconds in _TIMEOUT.findall(match[3])
        ]
    return tuple(found)
