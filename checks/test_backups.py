"""If a node or its store does not come back: is there something to restore, and can it be read?"""

from __future__ import annotations

import pytest

from blackstart.checking import expect, known
from blackstart.checking_guests import rights, row_of
from blackstart.errors import Unproven
from blackstart.model.inventory import Backup, Inventory
from blackstart.model.proxmox_facts import GuestRow, ProxmoxFacts, StoreDefinition, Volume
from blackstart.model.proxmox_rights import grant
from blackstart.model.readiness import ConfigurationCopy, Readiness

pytestmark = pytest.mark.check

LOST_CONFIGURATION = "hypervisor-down"
CLOCKS_APART_S = 120.0
NEVER_WITHOUT = ("storage.cfg", "user.cfg")


@pytest.fixture
def declared(inventory: Inventory) -> Backup:
    """Where copies of ``/etc/pve`` are; a site without Proxmox VE has none to make."""
    if inventory.proxmox is None:
        pytest.skip("the inventory declares no Proxmox VE")
    return _declared(inventory)


@pytest.fixture
def copy(declared: Backup, readiness: Readiness) -> tuple[ConfigurationCopy, str]:
    """The newest copy of ``/etc/pve``, and where it was read."""
    return _copy(declared, readiness)


@pytest.mark.claim(severity="critical", breaks="data", incident=LOST_CONFIGURATION)
def test_configuration_copy_is_fresh(declared: Backup, copy: tuple[ConfigurationCopy, str]) -> None:
    """``/etc/pve`` is a database of its node's: without a copy it is lost with its disk."""
    age_s = copy[0].age_s
    expect(
        copy[0].path != "",
        "there is no copy of /etc/pve at all",
        evidence=copy[1],
        fix=f"make one: tar -C / -cf FILE etc/pve, and keep it below {declared.path} on "
        f"{declared.host}",
        touches=(declared.host,),
    )
    expect(
        -CLOCKS_APART_S <= age_s <= declared.max_age,
        f"the newest copy of /etc/pve is {_days(abs(age_s))} "
        + ("old" if age_s >= 0 else "from the future")
        + f" and may be {_days(declared.max_age)} old",
        evidence=copy[1],
        fix=f"make one now, and look at what should have made it; then at the clock of "
        f"{declared.host}",
        touches=(declared.host,),
    )


@pytest.mark.claim(severity="warning", breaks="data", incident=LOST_CONFIGURATION)
def test_configuration_copy_is_off_the_cluster(declared: Backup, inventory: Inventory) -> None:
    """A copy on what it describes is lost together with it."""
    host = inventory.nodes.get(declared.host)
    expect(
        host is not None and host.api != "proxmox",
        f"the copy of /etc/pve is on {declared.host}, which is of the cluster itself",
        evidence="inventory: backups.etc_pve",
        fix="copy it to a machine that is no node and no guest of the cluster",
        touches=(declared.host,),
    )


@pytest.mark.claim(severity="critical", breaks="data", incident=LOST_CONFIGURATION)
def test_configuration_copy_is_complete(
    copy: tuple[ConfigurationCopy, str], proxmox: ProxmoxFacts
) -> None:
    """It holds the stores, the users, the votes, and every guest's configuration."""
    _needs_one(copy[0])
    needed = [*NEVER_WITHOUT]
    if len(known(proxmox.votes).nodes) > 1:
        needed.append("corosync.conf")
    directory = {"qemu": "qemu-server", "lxc": "lxc"}
    there = set(copy[0].files)
    lacking = [name for name in needed if name not in there]
    for row in known(proxmox.guests):
        name = f"{directory[row.kind]}/{row.vmid}.conf"
        # A guest that has moved since then is below the node that it was on.
        if not any(file.startswith("nodes/") and file.endswith(f"/{name}") for file in there):
            lacking.append(f"nodes/{row.node}/{name}")
    expect(
        not lacking,
        f"the copy of /etc/pve lacks {', '.join(lacking)}",
        evidence=copy[1],
        fix="make a new one of all of it: tar -C / -cf FILE etc/pve",
    )


@pytest.mark.claim(severity="critical", breaks="data", incident=LOST_CONFIGURATION)
def test_configuration_copy_can_be_read(copy: tuple[ConfigurationCopy, str]) -> None:
    """It was unpacked to its end, and its files are what their names say."""
    _needs_one(copy[0])
    empty = [name for name, parts in copy[0].parsed.items() if not parts]
    expect(
        bool(copy[0].parsed) and not empty,
        f"nothing can be made of {', '.join(empty) or 'any file'} in the copy of /etc/pve",
        evidence=copy[1],
        fix="make a new one, and read it: tar -xOf FILE etc/pve/storage.cfg",
    )


@pytest.mark.claim(severity="warning", breaks="data")
def test_guest_is_in_a_backup_job(guest: str, proxmox: ProxmoxFacts, inventory: Inventory) -> None:
    """An enabled job backs it up; the vendor's own list counts disabled ones (vzdump(1))."""
    row = row_of(proxmox, inventory, guest)
    covering = [job for job in known(proxmox.jobs) if job.covers(row)]
    off = [job.id for job in covering if not job.enabled]
    expect(
        any(job.enabled for job in covering) and row.vmid not in known(proxmox.uncovered),
        f"no job that is enabled backs {guest} up"
        + (f" ({', '.join(off)} is disabled)" if off else ""),
        evidence=(proxmox.jobs.source, proxmox.uncovered.source),
        fix="pvesh set /cluster/backup/JOB --enabled 1, or add the guest: Datacenter, Backup",
    )


@pytest.mark.claim(severity="warning", breaks="data")
def test_backup_of_the_guest_is_fresh(
    guest: str, proxmox: ProxmoxFacts, inventory: Inventory
) -> None:
    """A job that is enabled may have failed for weeks; what lies in the store does not lie."""
    row = row_of(proxmox, inventory, guest)
    newest, source = _newest(proxmox, row)
    allowed = inventory.backups.guests_max_age
    age_s = None if newest is None else proxmox.taken_at - (newest.made_at or 0.0)
    expect(
        age_s is not None and age_s <= allowed,
        f"the newest backup of {guest} is {_days(age_s)} old and may be {_days(allowed)}"
        if age_s is not None
        else f"there is no backup of {guest}",
        evidence=source,
        fix=f"vzdump {row.vmid} --storage STORE --mode snapshot; then look at the job's last task",
    )


@pytest.mark.claim(severity="warning", breaks="data")
def test_backup_of_the_guest_is_verified(
    guest: str, proxmox: ProxmoxFacts, inventory: Inventory
) -> None:
    """A backup server reads its snapshots again and says whether they are whole (PBS, verify)."""
    row = row_of(proxmox, inventory, guest)
    servers = {store.name for store in known(proxmox.stores) if store.kind == "pbs"}
    if not servers:
        pytest.skip(f"there is no Proxmox Backup Server ({proxmox.stores.source})")
    newest, source = _newest(proxmox, row, only=servers)
    if newest is None:
        pytest.skip(f"{guest} is not on the backup server ({'; '.join(source)})")
    expect(
        newest.verified == "ok",
        f"{newest.volid} is {newest.verified or 'not verified yet'}",
        evidence=source,
        fix="on the backup server: proxmox-backup-manager verify DATASTORE, and a verify job",
    )


@pytest.mark.claim(severity="warning", breaks="data")
def test_missed_backups_are_made_up_for(proxmox: ProxmoxFacts) -> None:
    """Who is off at the hour of the backup has none until the next (vzdump(1), repeat-missed)."""
    jobs = known(proxmox.jobs)
    if not any(job.enabled for job in jobs):
        pytest.skip(f"no backup job is enabled ({proxmox.jobs.source})")
    forgetful = [job.id for job in jobs if job.enabled and not job.repeats_missed]
    expect(
        not forgetful,
        f"{', '.join(forgetful)} does not make up for a run that it missed",
        evidence=proxmox.jobs.source,
        fix="pvesh set /cluster/backup/JOB --repeat-missed 1",
    )


@pytest.mark.claim(severity="critical", breaks="data")
def test_backup_server_is_not_on_what_it_protects(
    proxmox: ProxmoxFacts, inventory: Inventory
) -> None:
    """A backup server that is a guest of this cluster is lost with it."""
    servers = _servers(proxmox)
    if not servers:
        pytest.skip(f"there is no Proxmox Backup Server ({proxmox.stores.source})")
    guests = {str(guest.address): name for name, guest in inventory.guests.items()}
    guests |= {host: name for name, guest in inventory.guests.items() for host in guest.names}
    nodes = {str(node.address): name for name, node in inventory.nodes.items() if node.api}
    inside = {
        store.name: (guests | nodes)[host]
        for store in servers
        for host in store.servers
        if host in guests | nodes
    }
    expect(
        not inside,
        "; ".join(f"{store} is on {where}" for store, where in inside.items()),
        evidence=proxmox.stores.source,
        fix="sync it to a second backup server that is none of the cluster's",
        touches=tuple(inside.values()),
    )


@pytest.mark.claim(severity="critical", breaks="data")
def test_backup_key_is_kept_elsewhere(
    proxmox: ProxmoxFacts, readiness: Readiness, inventory: Inventory
) -> None:
    """Encrypted backups whose only key is in ``/etc/pve/priv`` are lost with the cluster."""
    encrypting = [store.name for store in _servers(proxmox) if store.key]
    if not encrypting:
        pytest.skip(f"no store encrypts its backups ({proxmox.stores.source})")
    copy, source = _copy(_declared(inventory), readiness)
    there = set(copy.files)
    lacking = [name for name in encrypting if f"priv/storage/{name}.enc" not in there]
    expect(
        not lacking,
        f"the key of {', '.join(lacking)} is in no copy off the cluster",
        evidence=(proxmox.stores.source, source),
        fix="copy /etc/pve/priv/storage/STORE.enc off the cluster, and print it: "
        "proxmox-backup-client key paperkey",
    )


def _declared(inventory: Inventory) -> Backup:
    if inventory.backups.etc_pve is None:
        raise Unproven(
            "the inventory declares no backup of /etc/pve; add backups: {etc_pve: {host: HOST, "
            "path: /DIRECTORY}}"
        )
    return inventory.backups.etc_pve


def _copy(declared: Backup, readiness: Readiness) -> tuple[ConfigurationCopy, str]:
    seen = readiness.configuration_copy
    if seen is None:
        raise Unproven(f"nobody looked at {declared.host}:{declared.path}")
    return known(seen), f"{seen.source}: {known(seen).path or 'none'}"


def _needs_one(copy: ConfigurationCopy) -> None:
    """Skips where there is no copy: that is one finding, and not three."""
    if not copy.path:
        pytest.skip("there is no copy of /etc/pve; see configuration_copy_is_fresh")


def _days(seconds: float) -> str:
    return f"{seconds / 86400:.1f} days"


def _servers(proxmox: ProxmoxFacts) -> list[StoreDefinition]:
    return [store for store in known(proxmox.stores) if store.kind == "pbs" and not store.disabled]


def _newest(
    proxmox: ProxmoxFacts, row: GuestRow, *, only: set[str] | None = None
) -> tuple[Volume | None, tuple[str, ...]]:
    """The guest's newest backup on any store, and where was looked.

    Raises ``Unproven`` when there is none in the lists and one may be hidden, or lie where
    nobody could look.
    """
    holding = {
        store.name
        for store in known(proxmox.stores)
        if "backup" in store.content and not store.disabled and (only is None or store.name in only)
    }
    lists = {
        place: seen for place, seen in proxmox.content.items() if place.partition("/")[2] in holding
    }
    found = [
        volume
        for seen in lists.values()
        for volume in seen.value or ()
        if volume.content == "backup" and volume.vmid == row.vmid and volume.made_at is not None
    ]
    sources = tuple(sorted({seen.source for seen in lists.values()}))
    if found:
        return max(found, key=lambda volume: volume.made_at or 0.0), sources
    for seen in lists.values():
        known(seen)
    unseen = holding - {place.partition("/")[2] for place in lists}
    if unseen:
        raise Unproven(f"nobody could look into {', '.join(sorted(unseen))}: not active anywhere")
    for store in sorted(holding):
        _must_show_backups(proxmox, row, store)
    return None, sources or (proxmox.stores.source,)


def _must_show_backups(proxmox: ProxmoxFacts, row: GuestRow, store: str) -> None:
    path, vm = f"/storage/{store}", f"/vms/{row.vmid}"
    may = rights(proxmox, path)
    if "Datastore.Allocate" in may:
        return
    if "Datastore.AllocateSpace" not in may:
        needed = grant(proxmox.who, path, "Datastore.AllocateSpace")
    elif "VM.Backup" not in rights(proxmox, vm):
        needed = grant(proxmox.who, vm, "VM.Backup")
    else:
        return
    raise Unproven(f"the token would not see backups of {row.path} in {store}: {needed}")
