"""What the Proxmox VE API says of nodes, guests and jobs, as records for checks."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from blackstart.drivers.proxmox_answers import Json, flag, number
from blackstart.drivers.proxmox_store_answers import words
from blackstart.errors import Rejected
from blackstart.model.proxmox_facts import (
    BackupJob,
    GuestRow,
    Mapping,
    NodeCertificate,
    NodeMemory,
    NodeService,
    PendingChange,
    QuorumDevice,
    Replication,
)

_LINK = re.compile(r"ring[0-7]_addr")
_NEVER_SHOWN = frozenset({"cipassword", "sshkeys"})


def guest_rows(entries: Iterable[Json]) -> tuple[GuestRow, ...]:
    """Guests of ``/cluster/resources``, templates too, by number: the list has no order."""
    found = (
        GuestRow(
            kind=str(entry["type"]),
            vmid=int(entry["vmid"]),
            node=str(entry["node"]),
            running=entry.get("status") == "running",
            template=flag(entry.get("template")),
            pool=str(entry["pool"]) if entry.get("pool") else None,
        )
        for entry in entries
        if entry.get("type") in ("qemu", "lxc") and {"vmid", "node"} <= set(entry)
    )
    return tuple(sorted(found, key=lambda row: row.vmid))


def pending(entries: Iterable[Json]) -> tuple[PendingChange, ...]:
    """``/nodes/NODE/qemu/VMID/pending``: only what waits; a password is named and not shown."""
    return tuple(sorted(_pending(entries), key=lambda change: change.key))


def _pending(entries: Iterable[Json]) -> Iterator[PendingChange]:
    for entry in entries:
        key = str(entry.get("key"))
        if "pending" not in entry and not flag(entry.get("delete")):
            continue
        hidden = key in _NEVER_SHOWN
        now, then = entry.get("value"), entry.get("pending")
        yield PendingChange(
            key=key,
            now=None if now is None else "(not shown)" if hidden else str(now),
            then=None if then is None else "(not shown)" if hidden else str(then),
        )


def memory(status: Json) -> NodeMemory:
    """``/nodes/NODE/status``. Raises ``Rejected`` without its memory."""
    figures = status.get("memory")
    total = number(figures.get("total")) if isinstance(figures, dict) else None
    if not isinstance(figures, dict) or total is None:
        raise Rejected("the node does not tell its memory")
    merged = status.get("ksm")
    shared = number(merged.get("shared")) if isinstance(merged, dict) else None
    return NodeMemory(total=total, used=number(figures.get("used")) or 0, merged=shared or 0)


def certificates(entries: Iterable[Json]) -> tuple[NodeCertificate, ...]:
    """``/nodes/NODE/certificates/info``. Raises ``Rejected`` for none: every node has some."""
    found = []
    for entry in entries:
        end = number(entry.get("notafter"))
        name = str(entry.get("filename", "?"))
        found.append(NodeCertificate(file=name, expires_at=None if end is None else float(end)))
    if not found:
        raise Rejected("the node shows no certificate")
    return tuple(found)


def services(entries: Iterable[Json]) -> tuple[NodeService, ...]:
    """``/nodes/NODE/services``. Raises ``Rejected`` for none."""
    found = tuple(
        NodeService(
            name=str(entry.get("service") or entry.get("name")),
            enabled=str(entry.get("unit-state", "unknown")),
            active=str(entry.get("active-state", "unknown")),
        )
        for entry in entries
    )
    if not found:
        raise Rejected("the node shows no service")
    return found


def replication(entry: Json) -> Replication:
    """One entry of ``/nodes/NODE/replication``."""
    return Replication(
        id=str(entry["id"]),
        last_sync=float(entry.get("last_sync") or 0),
        failures=number(entry.get("fail_count")) or 0,
        error=str(entry.get("error") or ""),
    )


def mapping(entry: Json) -> Mapping:
    """One entry of ``/cluster/mapping/KIND?check-node=NODE``, with what is wrong there."""
    checks = entry.get("checks") or entry.get("error") or ()
    if isinstance(checks, str | dict):
        checks = [checks]
    return Mapping(id=str(entry["id"]), problems=tuple(_problem(item) for item in checks))


def _problem(item: Any) -> str:
    return str(item.get("message", item)) if isinstance(item, dict) else str(item)


def machines(entries: Iterable[Json]) -> tuple[str, ...]:
    """``/nodes/NODE/capabilities/qemu/machines``. Raises ``Rejected`` for none: QEMU knows some."""
    found = tuple(str(entry["id"]) for entry in entries)
    if not found:
        raise Rejected("the node knows no machine")
    return found


def votes(entries: Iterable[Json]) -> dict[str, int]:
    """``/cluster/config/nodes``: votes by node, 1 where the file does not say."""
    found = {}
    for entry in entries:
        count = number(entry.get("quorum_votes"))
        found[str(entry.get("name") or entry["node"])] = 1 if count is None else count
    return found


def links(entries: Iterable[Json]) -> dict[str, tuple[str, ...]]:
    """``ring0_addr`` to ``ring7_addr`` of ``/cluster/config/nodes`` (corosync.conf(5))."""
    return {
        str(entry.get("name") or entry["node"]): tuple(
            str(entry[key]) for key in sorted(entry) if _LINK.fullmatch(key)
        )
        for entry in entries
    }


def quorum_device(answer: Json) -> QuorumDevice | None:
    """``/cluster/config/qdevice``; an empty object is no device."""
    if not answer:
        return None
    host, _, port = str(answer.get("QNetd host", "")).rpartition(":")
    return QuorumDevice(
        state=str(answer.get("State", "unknown")),
        algorithm=str(answer.get("Algorithm", "")),
        host=(host or port).strip("[]"),
    )


def shutdown_policy(options: Json) -> str:
    """``ha: shutdown_policy`` of ``/cluster/options``, as text or taken apart."""
    ha = options.get("ha")
    if isinstance(ha, dict):
        return str(ha.get("shutdown_policy") or "conditional")
    parts = (part.partition("=") for part in str(ha or "").split(","))
    named = {key.strip(): value.strip() for key, _, value in parts}
    return named.get("shutdown_policy") or "conditional"


def backup_job(entry: Json) -> BackupJob:
    """One entry of ``/cluster/backup``; a job is enabled unless it says otherwise."""
    return BackupJob(
        id=str(entry["id"]),
        enabled=flag(entry.get("enabled", 1)),
        everything=flag(entry.get("all")),
        vmids=_vmids(entry.get("vmid")),
        excluded=_vmids(entry.get("exclude")),
        pool=str(entry.get("pool") or ""),
        node=str(entry.get("node") or ""),
        store=str(entry.get("storage") or ""),
        repeats_missed=flag(entry.get("repeat-missed")),
    )


def _vmids(value: object) -> tuple[int, ...]:
    return tuple(int(word) for word in words(value) if word.isdigit())


def host_names(answer: Json) -> tuple[str, ...]:
    """Names that ``/etc/hosts`` knows, from ``/nodes/NODE/hosts`` (hosts(5))."""
    lines = (line.partition("#")[0].split() for line in str(answer.get("data", "")).splitlines())
    return tuple(sorted({name.lower() for line in lines for name in line[1:]}))
