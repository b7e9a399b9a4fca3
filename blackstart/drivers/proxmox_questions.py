"""What a look at a cluster asks of the Proxmox VE API: GET only, each with where it was read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from blackstart.drivers import proxmox_answers as answers
from blackstart.drivers import proxmox_boot_answers as boot
from blackstart.drivers import proxmox_store_answers as stores
from blackstart.drivers.base import Clock
from blackstart.drivers.proxmox_answers import Json
from blackstart.drivers.proxmox_api import ProxmoxApi
from blackstart.drivers.proxmox_cluster import HA, RESOURCES, high_availability
from blackstart.drivers.proxmox_seeing import STATUS, must_see, rights_on, whole_cluster
from blackstart.errors import Rejected
from blackstart.model.proxmox_facts import GuestRow, Votes

BACKUP, UNCOVERED = "cluster/backup", "cluster/backup-info/not-backed-up"
VOTES, DEVICE = "cluster/config/nodes", "cluster/config/qdevice"
REPLICATION, OPTIONS, DEFINITIONS = "cluster/replication", "cluster/options", "storage"
MAPPINGS = {
    "pci": "cluster/mapping/pci",
    "usb": "cluster/mapping/usb",
    "dir": "cluster/mapping/dir",
}

Ask = Callable[[], Any]
Questions = Mapping[str, tuple[str, Ask]]
"""By a key: the path, for the source of the fact, and the question."""


class ProxmoxQuestions:
    """The questions, by subject. None is asked before it is called."""

    def __init__(self, api: ProxmoxApi, clock: Clock) -> None:
        self._api = api
        self._clock = clock

    def of_cluster(self) -> Questions:
        """What any node knows of all of it, keyed as in ``ProxmoxFacts``."""
        return {
            "online": (STATUS, lambda: _online(whole_cluster(self._api))),
            "guests": (RESOURCES, lambda: boot.guest_rows(self._of_all_guests(RESOURCES))),
            "stores": (DEFINITIONS, lambda: tuple(map(stores.definition, self._definitions()))),
            "votes": (VOTES, self._votes),
            "high_availability": (HA, lambda: high_availability(self._list(HA))),
            "shutdown_policy": (OPTIONS, lambda: boot.shutdown_policy(self._object(OPTIONS))),
            "jobs": (BACKUP, lambda: tuple(map(boot.backup_job, self._list(BACKUP)))),
            "uncovered": (UNCOVERED, lambda: _vmids(self._list(UNCOVERED))),
            "disabled_replication": (
                REPLICATION,
                lambda: _disabled(self._of_all_guests(REPLICATION)),
            ),
        }

    def of_node(self, node: str) -> Questions:
        """What a node says of itself, keyed as in ``HypervisorFacts``."""
        root = f"nodes/{node}"
        reads: dict[str, tuple[str, Callable[[list[Json]], Any]]] = {
            "stores": ("storage", lambda found: tuple(map(stores.store_state, found))),
            "certificates": ("certificates/info", boot.certificates),
            "services": ("services", boot.services),
            "pools": ("disks/zfs", lambda found: tuple(map(stores.pool, found))),
            "thin_pools": ("disks/lvmthin", stores.thin_pools),
            "replication": ("replication", lambda found: tuple(map(boot.replication, found))),
        }
        asked: dict[str, tuple[str, Ask]] = {
            name: (f"{root}/{path}", self._reading(f"{root}/{path}", read))
            for name, (path, read) in reads.items()
        }
        asked["memory"] = (f"{root}/status", lambda: boot.memory(self._object(f"{root}/status")))
        asked["clock_ahead_s"] = (f"{root}/time", lambda: self._clock_ahead_s(f"{root}/time"))
        return asked

    def of_store(self, node: str, store: str) -> tuple[str, Ask]:
        """All that lies in a store, as far as the token may see it."""
        path = f"nodes/{node}/storage/{store}/content"
        return path, self._reading(path, lambda found: tuple(map(stores.volume, found)))

    def of_guest(self, guest: GuestRow) -> Questions:
        """With what it would start, and what waits for its next start."""
        root = f"nodes/{guest.node}/{guest.path}"
        return {
            f"config {guest.path}": (
                f"{root}/config",
                lambda: answers.config_strings(self._object(f"{root}/config")),
            ),
            f"pending {guest.path}": (
                f"{root}/pending",
                self._reading(f"{root}/pending", boot.pending),
            ),
        }

    def of_rights(self, paths: Iterable[str]) -> Questions:
        """What the token may do on each of these paths."""
        return {
            f"rights {path}": (
                f"access/permissions?path={path}",
                lambda path=path: rights_on(self._api, path),  # type: ignore[misc]
            )
            for path in paths
        }

    def of_mappings(self, node: str, kinds: Iterable[str]) -> tuple[str, Ask]:
        """Mapped devices of these kinds, as this node has them."""
        wanted = sorted(kinds)
        paths = ", ".join(MAPPINGS[kind] for kind in wanted)
        return f"{paths}?check-node={node}", lambda: {
            kind: tuple(map(boot.mapping, self._mapped(MAPPINGS[kind], node))) for kind in wanted
        }

    def of_host_names(self, node: str) -> tuple[str, Ask]:
        """Names that the node knows without asking anybody."""
        path = f"nodes/{node}/hosts"
        return path, lambda: boot.host_names(self._object(path))

    def of_machines(self, node: str) -> tuple[str, Ask]:
        """Versions of machines that the node's QEMU knows."""
        path = f"nodes/{node}/capabilities/qemu/machines"
        return path, self._reading(path, boot.machines)

    def _list(self, path: str, **fields: Any) -> list[Json]:
        return answers.records(self._api.get(path, **fields), path)

    def _object(self, path: str) -> Json:
        return answers.record(self._api.get(path), path)

    def _reading(self, path: str, read: Callable[[list[Json]], Any]) -> Ask:
        return lambda: read(self._list(path))

    def _of_all_guests(self, path: str) -> list[Json]:
        must_see(self._api, "/vms", "VM.Audit")
        return self._list(path)

    def _definitions(self) -> list[Json]:
        must_see(self._api, "/storage", "Datastore.Audit")
        return self._list(DEFINITIONS)

    def _mapped(self, path: str, node: str) -> list[Json]:
        must_see(self._api, "/mapping", "Mapping.Audit")
        return self._list(path, **{"check-node": node})

    def _votes(self) -> Votes:
        device = boot.quorum_device(self._object(DEVICE))
        nodes = self._list(VOTES)
        return Votes(nodes=boot.votes(nodes), device=device, links=boot.links(nodes))

    def _clock_ahead_s(self, path: str) -> float:
        """The node's clock against this machine's; the answer has whole seconds."""
        before = self._clock.wall()
        there = answers.number(self._object(path).get("time"))
        if there is None:
            raise Rejected(f"{path}: the answer tells no time")
        after = self._clock.wall()
        # The answer was cut to a whole second at any moment between the two.
        if before - 1 <= there <= after:
            return 0.0
        return there - (before - 1) if there < before - 1 else there - after


def _online(status: list[Json]) -> dict[str, bool]:
    found = {
        str(entry["name"]): answers.flag(entry.get("online"))
        for entry in status
        if entry.get("type") == "node" and "name" in entry
    }
    if not found:
        raise Rejected(f"{STATUS} names no node")
    return found


def _vmids(entries: list[Json]) -> tuple[int, ...]:
    return tuple(int(entry["vmid"]) for entry in entries)


def _disabled(entries: list[Json]) -> tuple[str, ...]:
    return tuple(str(entry["id"]) for entry in entries if answers.flag(entry.get("disable")))
