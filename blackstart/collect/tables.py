"""The tables of mounts, encrypted volumes and names: fstab(5), crypttab(5), hosts(5)."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from itertools import takewhile

from blackstart.collect.numbered import Rows
from blackstart.model.host_boot import CryptLine, FstabLine, HostsLine
from blackstart.model.host_storage import Mounted
from blackstart.model.located import Line

FSTAB, CRYPTTAB, HOSTS = "/etc/fstab", "/etc/crypttab", "/etc/hosts"
_OCTAL = re.compile(r"\\([0-7]{3})")
_TAG = re.compile(r'^([A-Z]+)=(?:"([^"]*)"|\'([^\']*)\')$')
_PERSON = re.compile(r"//[^/@]*@")
_NO_KEY = {"", "-", "none"}


def unescape(text: str) -> str:
    """``\\040`` is a blank: getmntent(3), proc_pid_mounts(5)."""
    return _OCTAL.sub(lambda match: chr(int(match[1], 8)), text)


def read_fstab(rows: Rows) -> tuple[tuple[FstabLine, ...], tuple[Line, ...]]:
    """Its entries, and the lines that its readers do not understand, or not as it was meant."""
    entries: list[FstabLine] = []
    misread: list[Line] = []
    for number, text in rows:
        if _is_comment(text):
            continue
        fields = re.split(r"[ \t]+", text.strip(" \t"))
        if "\r" in text or len(fields) < 3 or _wrong_number(fields):
            misread.append(Line(file=FSTAB, line=number, text=_shown(text)))
        if len(fields) < 3:
            continue
        spec, path, fstype, options = (unescape(field) for field in (*fields, "defaults")[:4])
        entries.append(
            FstabLine(
                file=FSTAB,
                line=number,
                spec=_plain_spec(spec),
                path=path.rstrip("/") or "/",
                fstype=fstype,
                options=tuple(_plain_option(option) for option in options.split(",") if option),
            )
        )
    return tuple(entries), tuple(misread)


def read_crypttab(rows: Rows, keys: Collection[str]) -> tuple[CryptLine, ...]:
    """Its entries; ``keys`` are the key files that exist. Raises ``ValueError`` on half a line."""
    found = []
    for number, text in rows:
        if _is_comment(text):
            continue
        name, device, *rest = text.split()
        key, options = (*rest, "", "")[:2]
        found.append(
            CryptLine(
                file=CRYPTTAB,
                line=number,
                name=name,
                device=_plain_spec(device),
                key="" if key in _NO_KEY else key,
                options=tuple(filter(None, options.split(","))),
                key_there=key in keys,
            )
        )
    return tuple(found)


def read_hosts(rows: Rows) -> tuple[HostsLine, ...]:
    """Its entries; here a ``#`` ends a line anywhere."""
    lines = ((number, text.partition("#")[0].split()) for number, text in rows)
    return tuple(
        HostsLine(file=HOSTS, line=number, address=fields[0], names=tuple(fields[1:]))
        for number, fields in lines
        if len(fields) > 1
    )


def read_resolvers(rows: Rows) -> tuple[str, ...]:
    """The name servers of a resolv.conf(5)."""
    fields = (text.split() for _, text in rows)
    return tuple(words[1] for words in fields if words[:1] == ["nameserver"] and len(words) > 1)


def read_mounted(lines: Collection[str]) -> Iterator[Mounted]:
    """Lines of ``/proc/self/mounts``. Raises ``ValueError`` on anything else."""
    for line in lines:
        source, target, fstype, options, *_ = line.split(" ")
        if not target.startswith("/"):
            raise ValueError(repr(line)[:80])
        yield Mounted(
            source=unescape(source),
            target=unescape(target),
            fstype=fstype,
            options=tuple(options.split(",")),
        )


def _is_comment(text: str) -> bool:
    return not text.strip() or text.lstrip().startswith("#")


def _wrong_number(fields: list[str]) -> bool:
    """The last two fields are numbers, where they are there; what follows is a comment."""
    numbers = takewhile(lambda field: not field.startswith("#"), fields[4:6])
    return any(not field.isdigit() for field in numbers)


def _shown(text: str) -> str:
    return " ".join(_PERSON.sub("//", repr(text)[1:-1]).split())


def _plain_spec(spec: str) -> str:
    match = _TAG.match(spec)
    tagged = f"{match[1]}={match[2] or match[3] or ''}" if match else spec
    return _PERSON.sub("//", tagged)


def _plain_option(option: str) -> str:
    """Without the password that ``user=NAME%PASSWORD`` carries (mount.cifs(8))."""
    return option.partition("%")[0] if option.startswith("user") else option
