"""Everything that the Proxmox VE API shows of a cluster about which nothing is known yet.

Only GET. What the token may not see is refused here, as an empty list would read as a
cluster without guests.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, TypeVar

from blackstart.drivers import proxmox_answers as answers
from blackstart.drivers.bounded import gather
from blackstart.drivers.proxmox_answers import Json
from blackstart.drivers.proxmox_api import ProxmoxApi
from blackstart.drivers.proxmox_guest import GuestReader
from blackstart.drivers.proxmox_needs import granting, lacking
from blackstart.errors import DriverError, Rejected
from blackstart.model.facts import GuestFacts, unread
from blackstart.model.observed import Observed
from blackstart.model.survey import BackupJob, GuestSeen, NodeSeen, StoreSeen, Survey

STATUS = "cluster/status"
RESOURCES = "cluster/resources"
WORKERS = 4
GUESTS_S = 90.0
REST_S = 40.0

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Listed:
    """A guest in the list of the cluster."""

    kind: Literal["qemu", "lxc"]
    vmid: int
    node: str
    name: str


def survey(api: ProxmoxApi) -> Survey:
    """Look at all of it, within about three minutes.

    Raises ``Rejected`` when the token is refused or may not see what it must, with the
    command that lets it, and ``Unreachable`` or ``TimedOut`` without an answer.
    """
    version = str(answers.record(api.get("version"), "version").get("version", "unknown"))
    lacked = lacking(api, version)
    if lacked:
        words = "; ".join(need.words for need in lacked)
        fix = granting(api.who, lacked)
        raise Rejected(f"the token may not see all: it lacks {words}; run: {fix}")
    status = answers.records(api.get(STATUS), STATUS)
    members = _nodes(status, answers.records(api.get("nodes"), "nodes"))
    entries = answers.records(api.get(RESOURCES), RESOURCES)
    with answers.understood(RESOURCES):
        listed = [_listed(entry) for entry in entries if _is_guest(entry)]
    rest = _rest(api, [node.name for node in members if node.online])
    return Survey(
        name=_name(status, members),
        version=version,
        nodes=members,
        guests=_guests(api, [guest for guest, template in listed if not template]),
        templates=tuple(sorted(guest.vmid for guest, template in listed if template)),
        **rest,
    )


def _name(status: Iterable[Json], members: tuple[NodeSeen, ...]) -> str:
    cluster = next((str(it.get("name")) for it in status if it.get("type") == "cluster"), None)
    if cluster is None and not members:
        raise Rejected(f"{STATUS} names neither a cluster nor a node")
    return cluster or members[0].name


def _nodes(status: Iterable[Json], listed: Iterable[Json]) -> tuple[NodeSeen, ...]:
    pins = {str(it.get("node")): it.get("ssl_fingerprint") for it in listed}
    found = [
        NodeSeen(
            name=str(it["name"]),
            address=str(it["ip"]) if it.get("ip") else None,
            online=answers.flag(it.get("online")),
            local=answers.flag(it.get("local")),
            fingerprint=str(pins[str(it["name"])]) if pins.get(str(it["name"])) else None,
        )
        for it in status
        if it.get("type") == "node" and "name" in it
    ]
    return tuple(sorted(found, key=lambda node: node.name))


def _is_guest(entry: Json) -> bool:
    return entry.get("type") in ("qemu", "lxc") and {"vmid", "node"} <= set(entry)


def _listed(entry: Json) -> tuple[_Listed, bool]:
    """A guest, and whether it is a template."""
    kind: Literal["qemu", "lxc"] = "lxc" if entry["type"] == "lxc" else "qemu"
    name = str(entry.get("name") or "")  # guests of a node that is away have none
    listed = _Listed(kind, int(entry["vmid"]), str(entry["node"]), name)
    return listed, answers.flag(entry.get("template"))


def _guests(api: ProxmoxApi, listed: Iterable[_Listed]) -> tuple[GuestSeen, ...]:
    reader = GuestReader(api)
    by_vmid = {guest.vmid: guest for guest in listed}
    calls = {vmid: partial(reader.read, guest) for vmid, guest in sorted(by_vmid.items())}
    facts = gather(calls, workers=WORKERS, timeout_s=GUESTS_S)
    return tuple(_guest(by_vmid[vmid], answer) for vmid, answer in facts.items())


def _guest(listed: _Listed, answer: GuestFacts | DriverError) -> GuestSeen:
    known = answer if isinstance(answer, GuestFacts) else unread(GuestFacts, "api", str(answer))
    name = listed.name or (known.config.value or {}).get("name", "")
    return GuestSeen(vmid=listed.vmid, kind=listed.kind, name=name, node=listed.node, facts=known)


def _rest(api: ProxmoxApi, online: list[str]) -> Mapping[str, Any]:
    """What a person is told beside nodes and guests; each may be missing, and says why."""
    jobs, uncovered = "cluster/backup", "cluster/backup-info/not-backed-up"
    managed, domain = "cluster/ha/resources", f"nodes/{online[0]}/dns" if online else ""
    calls: dict[str, tuple[str, Callable[[Any], Any]]] = {
        "stores": ("storage", lambda answer: _stores(answers.records(answer, "storage"))),
        "backup_jobs": (jobs, lambda answer: _jobs(answers.records(answer, jobs))),
        "uncovered": (uncovered, lambda answer: _vmids(answers.records(answer, uncovered))),
        "managed": (managed, lambda answer: _managed(answers.records(answer, managed))),
    }
    if domain:
        calls["domain"] = (domain, lambda answer: _domain(answers.record(answer, domain)))
    found = gather(
        {key: partial(_observed, api, path, read) for key, (path, read) in calls.items()},
        workers=WORKERS,
        timeout_s=REST_S,
    )
    said = {
        key: Observed[Any](source=f"api GET {calls[key][0]}", error=str(answer))
        if isinstance(answer, DriverError)
        else answer
        for key, answer in found.items()
    }
    nobody = Observed[str](source="api GET nodes/NODE/dns", error="no node is online")
    return {"domain": nobody, **said}


def _observed(api: ProxmoxApi, path: str, read: Callable[[Any], T]) -> Observed[T]:
    source = f"api GET {path}"
    try:
        answer = api.get(path)
        with answers.understood(path):
            return Observed(source=source, value=read(answer))
    except DriverError as error:
        return Observed(source=source, error=str(error))


def _domain(answer: Json) -> str:
    domain = str(answer.get("search") or "").split()[:1]
    if not domain:
        raise Rejected("it has no search domain")
    return domain[0]


def _stores(entries: Iterable[Json]) -> tuple[StoreSeen, ...]:
    found = [
        StoreSeen(
            name=str(entry.get("storage")),
            kind=str(entry.get("type")),
            place=_place(entry),
            nodes=tuple(sorted(filter(None, str(entry.get("nodes") or "").split(",")))),
            enabled=str(entry.get("disable") or 0) == "0",
        )
        for entry in entries
    ]
    return tuple(sorted(found, key=lambda store: store.name))


def _place(entry: Json) -> str:
    """Where a store's content is: a path, a share of a server, a pool or a group of volumes."""
    server = next((str(entry[key]) for key in ("server", "portal", "monhost") if key in entry), "")
    keys = ("export", "share", "datastore", "target", "pool", "thinpool", "vgname", "path")
    inside = next((str(entry[key]) for key in keys if key in entry), "")
    return f"{server}:{inside}" if server else inside


def _jobs(entries: Iterable[Json]) -> tuple[BackupJob, ...]:
    return tuple(
        BackupJob(
            name=str(entry.get("id")),
            covers=_covers(entry),
            schedule=str(entry.get("schedule") or "no schedule"),
            store=str(entry.get("storage") or "the default store"),
            enabled=str(entry.get("enabled", 1)) != "0",
        )
        for entry in entries
    )


def _covers(entry: Json) -> str:
    if str(entry.get("all") or 0) == "1":
        without = entry.get("exclude")
        return f"all guests but {without}" if without else "all guests"
    if entry.get("pool"):
        return f"pool {entry['pool']}"
    return f"guests {entry.get('vmid') or 'none'}"


def _vmids(entries: Iterable[Json]) -> tuple[int, ...]:
    return tuple(sorted(int(entry["vmid"]) for entry in entries if "vmid" in entry))


def _managed(entries: Iterable[Json]) -> dict[str, str]:
    return {str(it.get("sid")): str(it.get("state") or "started") for it in entries}
