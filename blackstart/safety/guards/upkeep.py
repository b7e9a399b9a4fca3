"""Whether this is a moment to break things: copies are fresh, nothing works, power is there."""

from __future__ import annotations

from blackstart.model.quantities import format_duration
from blackstart.safety.guards.base import Pass, Request, Said, unseen, unseen_hosts

# Consoles that somebody has open: they are tasks, and nothing is at work.
CONSOLES = frozenset({"vncproxy", "vncshell", "termproxy", "spiceproxy", "spiceshell"})
CLOCKS_APART_S = 120.0
"""Seconds by which a file may be newer than its own host's clock: coarse file systems."""
NOT_ON_MAINS = frozenset({"OB", "LB", "FSD", "OFF"})
"""On battery, low battery, forced shutdown, off (NUT developer guide, status data)."""


class EtcPveBackedUp:
    """A fresh copy of ``/etc/pve`` exists before a Proxmox node is taken down."""

    name = "etc-pve-backup"

    def refuse(self, request: Request) -> Said:
        """Refuse without a declared copy, or when its newest file is too old."""
        if not request.members_down:
            return Pass("no Proxmox node goes down")
        declared = request.site.inventory.backups.etc_pve
        if declared is None:
            return (
                "no backup of /etc/pve is declared; add backups: {etc_pve: {host: HOST, "
                "path: /DIRECTORY}} to the inventory, or waive etc-pve-backup with a reason"
            )
        seen = request.site.circumstances.newest_file(declared.host, declared.path)
        where = f"{declared.host}:{declared.path}"
        if seen.value is None:
            return f"{unseen('the backup of /etc/pve', seen)}; make one before the drill"
        age_s = seen.value.age_s
        if age_s < -CLOCKS_APART_S:
            return f"the newest backup of /etc/pve in {where} is from the future; set its clock"
        if age_s > declared.max_age:
            return (
                f"the newest backup of /etc/pve in {where} is {age_s / 86400:.1f} days old and "
                f"may be {declared.max_age / 86400:.1f}; make one before the drill"
            )
        return Pass(f"the newest in {where} is {format_duration(max(age_s, 0.0))} old")


class NothingAtWork:
    """No backup, migration, snapshot, scrub, resilver or upgrade is under way."""

    name = "busy"

    def refuse(self, request: Request) -> Said:
        """Refuse while the cluster has tasks or a host is at work, or cannot be asked."""
        site = request.site
        tasks = site.cluster.tasks()
        if tasks.value is None:
            return unseen("what the cluster is doing", tasks)
        busy = [
            f"{task.kind} of {task.subject or task.node} by {task.user} on {task.node}"
            for task in tasks.value
            if task.kind not in CONSOLES
        ]
        inside = [
            name
            for name, guest in site.inventory.guests.items()
            if guest.ssh and guest.running and name in request.falling
        ]
        hosts = site.circumstances.work((*site.inventory.nodes, *inside))
        busy += [f"{host}: {', '.join(seen.value)}" for host, seen in hosts.items() if seen.value]
        busy += unseen_hosts("what is at work", hosts)
        if busy:
            return f"at work now: {'; '.join(busy)}; wait for its end, then try again"
        return Pass(f"no task in the cluster, nothing at work on {', '.join(hosts)}")


class StorageSound:
    """No array, pool or store is degraded: a drill must not meet the second failure."""

    name = "storage"

    def refuse(self, request: Request) -> Said:
        """Refuse for a degraded array or pool, or a store that is not active."""
        site = request.site
        stores = site.cluster.stores()
        if stores.value is None:
            return unseen("the state of the stores", stores)
        damage = [
            f"store {store.name} is not active on {store.node}"
            for store in stores.value
            if not store.active
        ]
        hosts = site.circumstances.storage(site.inventory.nodes)
        for host, seen in hosts.items():
            damage += [f"{host}: {what}" for what in (seen.value.damage if seen.value else ())]
        damage += unseen_hosts("the state of the storage", hosts)
        if damage:
            return f"storage is degraded: {'; '.join(damage)}; repair that first"
        looked = "; ".join(
            f"{host}: {', '.join(seen.value.seen)}" for host, seen in hosts.items() if seen.value
        )
        return Pass(f"{len(stores.value)} stores active; {looked}")


class OnMains:
    """The supply is on mains: a drill on battery could not be ended."""

    name = "ups"

    def refuse(self, request: Request) -> Said:
        """Refuse on battery, and when a declared supply cannot be read."""
        declared = request.site.inventory.ups
        if declared is None:
            return Pass("no UPS is declared")
        seen = request.site.circumstances.ups(declared.host, declared.name)
        if seen.value is None:
            return f"{unseen(f'the UPS {declared.name}', seen)}; look at it first"
        words = set(seen.value.split())
        if words & NOT_ON_MAINS or "OL" not in words:
            return f"the UPS {declared.name} says {seen.value}; wait until it is on mains (OL)"
        return Pass(f"the UPS {declared.name} says {seen.value}")
