"""What is below a host's file systems: arrays, thin pools, encrypted datasets, and its exports.

Formats: md(4), mdadm.conf(5), lvm.conf(5), zfsprops(7), exports(5).
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping

from blackstart.collect.numbered import Rows
from blackstart.collect.sections import builtin, shell, where_there_is
from blackstart.collect.tables import unescape
from blackstart.model.host_storage import Array, Dataset, Exports
from blackstart.model.located import Line

# Without the module there is no array, and nothing is asked.
_ARRAYS = """\
[ ! -e /proc/mdstat ] || while read -r line; do printf '%s\\n' "$line"; done </proc/mdstat"""
# A dataset without a key of its own has `none`, one that is not encrypted `-`.
_DATASETS = """\
zfs get -H -o value,name -t filesystem,volume keylocation >/dev/null || exit
zfs get -H -o value,name -t filesystem,volume keylocation | while read -r key dataset; do
    case $key in
    none|-) ;;
    file://*) [ -e "${key#file://}" ] && there=there || there=gone
        printf '%s %s %s\\n' "$there" "$key" "$dataset" ;;
    *) printf 'asked %s %s\\n' "$key" "$dataset" ;;
    esac
done"""
# What counts in them is a few lines; the rest are comments.
_LVM = r"""set --
for file in /etc/lvm/lvm.conf /etc/lvm/lvmlocal.conf; do
    [ ! -f "$file" ] || set -- "$@" "$file"
done
[ $# -gt 0 ] || exit 0
grep -Hn -e '^[[:space:]]*[^#[:space:]]' -- "$@" || [ $? -eq 1 ]"""
STORAGE = (
    builtin("arrays", _ARRAYS),
    where_there_is(shell("datasets", 8, _DATASETS), "/sys/module/zfs"),
    where_there_is(shell("lvm", 5, _LVM), "/etc/lvm"),
)
MDADM = "/etc/mdadm/mdadm.conf"
ETAB, EXPORTS, MORE_EXPORTS = "/var/lib/nfs/etab", "/etc/exports", "/etc/exports.d/"
_ARRAY = re.compile(r"^(md\S*) : (\S+)")
# What a RAID controller's firmware keeps around its arrays: no array, and always inactive.
CONTAINER = re.compile(r" super external:[^/]")
_MEMBERS = re.compile(r"\[(\d+)/(\d+)\]")
_ROW = re.compile(r"^(/[^:]+):(\d+):(.*)$")
# A comment begins outside quotes only.
_LVM_WORD = re.compile(r"""("(?:[^"\\]|\\.)*"|'[^']*')|#.*""")
_LVM_LIST = r"""\[(?:"(?:[^"\\]|\\.)*"|'[^']*'|[^\]"'])*\]"""
_THIN_CHECK = re.compile(
    rf"""(?<![\w"'])thin_check_options\s*=\s*({_LVM_LIST}|"(?:[^"\\]|\\.)*"|'[^']*')"""
)
_WORDS = {"there": True, "asked": False, "gone": False}

Lines = tuple[str, ...]


def read_arrays(lines: Lines) -> tuple[Array, ...]:
    """``/proc/mdstat``. Raises ``ValueError`` on anything else."""
    found: list[Array] = []
    for line in lines:
        named, counted = _ARRAY.match(line), _MEMBERS.search(line)
        if named:
            found.append(Array(name=named[1], state=named[2], failed="(F)" in line))
        elif found and CONTAINER.search(line):
            found.pop()
        elif found and counted:
            size = {"disks": int(counted[1]), "present": int(counted[2])}
            found[-1] = found[-1].model_copy(update=size)
    if lines and not lines[0].startswith("Personalities"):
        raise ValueError(lines[0][:80])
    return tuple(found)


def read_datasets(lines: Lines) -> tuple[Dataset, ...]:
    """Datasets with a key of their own, and whether it is there without anybody."""
    found = []
    for line in lines:
        word, key, name = line.split(" ", 2)
        found.append(Dataset(name=name, key=key, key_there=_WORDS[word]))
    return tuple(found)


def read_thin_checks(lines: Lines) -> tuple[Line, ...]:
    """Own options of thin_check(8) that count, on one line however they are written.

    What ``lvmlocal.conf`` says comes before what ``lvm.conf`` does (lvm.conf(5)). Raises
    ``ValueError``, also for options of which no end is found.
    """
    counting: tuple[Line, ...] = ()
    for file, rows in _by_file(lines).items():
        text = "\n".join(rows.values())
        found = [*_THIN_CHECK.finditer(text)]
        if len(found) != len(re.findall(r"""(?<![\w"'])thin_check_options\s*=""", text)):
            raise ValueError(f"{file}: thin_check_options")
        numbers = [*rows]
        counting = (
            tuple(
                Line(
                    file=file,
                    line=numbers[text.count("\n", 0, match.start())],
                    text=f"thin_check_options = {' '.join(match[1].split())}",
                )
                for match in found
            )
            or counting
        )
    return counting


def _by_file(lines: Lines) -> dict[str, dict[int, str]]:
    """``FILE:LINE:TEXT`` of grep(1), by file and number, without comments."""
    found: dict[str, dict[int, str]] = {}
    for line in lines:
        match = _ROW.match(line)
        if match is None:
            raise ValueError(line[:80])
        plain = _LVM_WORD.sub(lambda word: word[1] or "", match[3])
        found.setdefault(match[1], {})[int(match[2])] = plain
    return found


def read_declared_arrays(rows: Rows) -> Lines:
    """UUIDs of ``ARRAY`` lines; none where all arrays are taken as they are found."""
    words = (text.split() for _, text in rows)
    return tuple(
        word.partition("=")[2].lower()
        for line in words
        if line[:1] == ["ARRAY"]
        for word in line
        if word.upper().startswith("UUID=")
    )


def read_exports(files: Mapping[str, Rows]) -> Exports:
    """What is exported now (the kernel's server is told from this file), and what is written."""
    written = [path for path in files if path == EXPORTS or path.startswith(MORE_EXPORTS)]
    return Exports(
        now=tuple(dict.fromkeys(_paths(files.get(ETAB, ())))),
        written=tuple(dict.fromkeys(found for path in written for found in _paths(files[path]))),
    )


def _paths(rows: Rows) -> Iterator[str]:
    """The first word of each logical line; it may be in quotes."""
    joined = ""
    for _, text in rows:
        joined += text.strip() if not text.rstrip().endswith("\\") else text.strip()[:-1] + " "
        if text.rstrip().endswith("\\"):
            continue
        line, joined = joined.strip(), ""
        if not line or line.startswith("#"):
            continue
        path = line[1:].partition('"')[0] if line.startswith('"') else line.split()[0]
        yield posixpath.normpath(unescape(path))
