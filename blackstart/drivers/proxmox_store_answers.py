"""What the Proxmox VE API says of stores and what lies in them, as records.

Lists of words come joined by commas in any order, numbers and switches at times as text, and
any key but a store's name may be missing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from blackstart.drivers.proxmox_answers import Json, flag, number
from blackstart.model.proxmox_facts import (
    Pool,
    StoreDefinition,
    StoreState,
    ThinPool,
    Volume,
)

_HOST = re.compile(r"\[([^]]*)\](?::[0-9]+)?|([^:]*):[0-9]+")
_SHARED_KINDS = frozenset(
    {"nfs", "cifs", "cephfs", "pbs", "rbd", "iscsi", "iscsidirect", "zfs", "esxi"}
)
"""Their plugins set ``shared`` themselves (PVE::Storage::Plugin); the file does not say so."""
_OFF = ("", "0", "no", "off", "false")


def words(value: object) -> tuple[str, ...]:
    """``images,rootdir`` or ``a b; c``, sorted.

    A store's ``content none`` is a word: it is for nothing, and one that says nothing is unknown.
    """
    return tuple(sorted({*re.split(r"[,;\s]+", str(value or ""))} - {""}))


def definition(entry: Json) -> StoreDefinition:
    """One entry of ``/storage``, which is a section of ``storage.cfg``."""
    kind = str(entry.get("type", ""))
    path = str(entry["path"]) if "path" in entry else None
    hosts = [entry.get("server"), entry.get("server2"), entry.get("portal"), entry.get("monhost")]
    servers = [_host(word) for text in hosts for word in words(text)]
    return StoreDefinition(
        name=str(entry["storage"]),
        kind=kind,
        content=words(entry.get("content")),
        nodes=words(entry.get("nodes")),
        disabled=flag(entry.get("disable")),
        shared=flag(entry.get("shared")) or kind in _SHARED_KINDS,
        path=path,
        servers=tuple(servers),
        mountpoint=_mountpoint(str(entry.get("is_mountpoint", "")), path),
        key=bool(entry.get("encryption-key")),
    )


def _host(text: str) -> str:
    """A server without its port; an IPv6 address has colons of its own, and brackets with one."""
    found = _HOST.fullmatch(text)
    return text if found is None else found[1] or found[2]


def _mountpoint(value: str, path: str | None) -> str | None:
    """A path of its own, or ``yes`` for the store's (PVE::Storage::DirPlugin)."""
    if value.startswith("/"):
        return value
    return None if value.lower() in _OFF else path


def store_state(entry: Json) -> StoreState:
    """One entry of ``/nodes/NODE/storage``."""
    return StoreState(
        name=str(entry["storage"]),
        kind=str(entry.get("type", "")),
        content=words(entry.get("content")),
        enabled=flag(entry.get("enabled", 1)),
        active=flag(entry.get("active")),
        total=number(entry.get("total")) or 0,
        used=number(entry.get("used")) or 0,
        available=number(entry.get("avail")) or 0,
    )


def volume(entry: Json) -> Volume:
    """One entry of ``/nodes/NODE/storage/STORE/content``."""
    vmid, made = number(entry.get("vmid")), number(entry.get("ctime"))
    checked = entry.get("verification")
    return Volume(
        volid=str(entry["volid"]),
        content=str(entry.get("content", "")),
        vmid=vmid,
        made_at=None if made is None else float(made),
        verified=str(checked.get("state")) if isinstance(checked, dict) else None,
    )


def pool(entry: Json) -> Pool:
    """One entry of ``/nodes/NODE/disks/zfs``."""
    return Pool(name=str(entry["name"]), health=str(entry.get("health", "unknown")))


def thin_pools(entries: Iterable[Json]) -> tuple[ThinPool, ...]:
    """``/nodes/NODE/disks/lvmthin``; a pool that tells no size is left out by nobody: it is full.

    What cannot be told apart from full must not pass.
    """
    return tuple(
        ThinPool(
            name=f"{entry.get('vg', '?')}/{entry['lv']}",
            used=_share(entry.get("used"), entry.get("lv_size")),
            metadata_used=_share(entry.get("metadata_used"), entry.get("metadata_size")),
        )
        for entry in entries
    )


def _share(part: object, whole: object) -> float:
    used, size = number(part), number(whole)
    return 1.0 if used is None or not size else used / size
