"""Machines: power, what each mounts, and when it begins to start its guests."""

from __future__ import annotations

from blackstart.graph.growing import Growing, part_id
from blackstart.graph.inputs import NOBODY
from blackstart.graph.names import need_server
from blackstart.graph.spec import (
    is_mounted_at_boot,
    is_waited_for,
    lies_on,
    server_of,
    written,
)
from blackstart.model.boot_graph import Link, LinkKind, Part, PartKind
from blackstart.model.host_boot import FstabLine
from blackstart.model.inventory import NfsMount
from blackstart.model.subjects import mounts_asked, subject

FSTAB = "/etc/fstab"


def add_hosts(grow: Growing) -> None:
    """Power, every machine, its boot, its network mounts."""
    site = grow.given.inventory.site
    power = grow.part(Part(id=part_id(PartKind.POWER, site), kind=PartKind.POWER, label="power"))
    for name, node in grow.given.inventory.nodes.items():
        host = Part(id=subject("node", name), kind=PartKind.NODE, label=name, host=name)
        grow.part(host)
        grow.needs(host.id, power, "needs power", f"inventory: nodes.{name}")
        if node.role == "hypervisor":
            boot = Part(
                id=part_id(PartKind.BOOT, name),
                kind=PartKind.BOOT,
                label="starts guests",
                host=name,
            )
            grow.part(boot)
            grow.needs(boot.id, host.id, "boots", f"inventory: nodes.{name}.role")
    for name in grow.given.inventory.nodes:
        _mounts(grow, name)
    _declared_elsewhere(grow)
    _quorum(grow)


def mount_on(grow: Growing, host: str, path: str) -> str | None:
    """The mount on which a path of a host lies, by its fstab; ``None`` for the root file system."""
    entries = {line.path: line for line in fstab_of(grow, host)}
    top = lies_on(path, list(entries))
    return None if top is None else _mount(grow, host, entries[top], entries)


def fstab_of(grow: Growing, host: str) -> tuple[FstabLine, ...]:
    """What a host mounts at boot; nothing when that is not known (then a gap is on record)."""
    read = grow.given.fstab.get(host)
    if read is None or read.value is None:
        source = read.source if read else f"ssh {host}: {FSTAB}"
        why = (read.error if read else NOBODY) or "no answer"
        boot = part_id(PartKind.BOOT, host)
        whole = boot if grow.has(boot) else subject("node", host)
        grow.unknown(whole, f"what its boot mounts ({why})", source)
        return ()
    return tuple(line for line in read.value if is_mounted_at_boot(line))


def _mounts(grow: Growing, host: str) -> None:
    """Network mounts always; local ones where a store or another mount lies on them."""
    entries = {line.path: line for line in fstab_of(grow, host)}
    for line in entries.values():
        if server_of(line.spec, line.fstype) is not None:
            _mount(grow, host, line, entries)


def _mount(grow: Growing, host: str, line: FstabLine, entries: dict[str, FstabLine]) -> str:
    mount = mount_id(grow, host, line.path)
    if grow.has(mount):
        return mount
    said = written(host, line)
    grow.part(Part(id=mount, kind=PartKind.MOUNT, label=line.path, host=host, evidence=(said,)))
    grow.needs(mount, subject("node", host), f"is mounted by {host}", said)
    server = server_of(line.spec, line.fstype)
    if server is not None:
        need_server(grow, host, mount, server, said)
    source = line.spec if "bind" in line.options else line.path
    others = [path for path in entries if path != line.path]
    top = lies_on(source, others)
    if top is not None:
        under = _mount(grow, host, entries[top], entries)
        grow.needs(mount, under, f"lies on {top}", said)
    _waited_for(grow, host, mount, line, said)
    return mount


def _waited_for(grow: Growing, host: str, mount: str, line: FstabLine, said: str) -> None:
    boot = part_id(PartKind.BOOT, host)
    if not grow.has(boot):
        return
    if is_waited_for(line):
        grow.needs(boot, mount, f"waits for {line.path}, which is not nofail", said)
    else:
        wants, why = LinkKind.WANTS, f"goes on without {line.path}"
        grow.link(Link(before=mount, after=boot, kind=wants, why=why, evidence=(said,)))


def mount_id(grow: Growing, host: str, path: str) -> str:
    """The declared mount's name, so that it is the same as what is probed; else host and path."""
    for name, mount in mounts_asked(grow.given.inventory).items():
        if (mount.host, mount.path) == (host, path):
            return subject("mount", name)
    return part_id(PartKind.MOUNT, f"{host}:{path}")


def _declared_elsewhere(grow: Growing) -> None:
    """Declared mounts that are in no fstab we know: needed are host and server, as declared."""
    for name, mount in mounts_asked(grow.given.inventory).items():
        declared = subject("mount", name)
        if grow.has(declared):
            continue
        evidence = f"inventory: mounts.{name}"
        label = mount.path
        guest = mount.host if mount.host in grow.given.inventory.guests else None
        on = grow.given.inventory.guests[guest].node if guest else mount.host
        grow.part(
            Part(
                id=declared,
                kind=PartKind.MOUNT,
                label=label,
                host=on,
                guest=guest,
                evidence=(evidence,),
            )
        )
        carrier = subject("guest", guest) if guest else subject("node", mount.host)
        grow.needs(declared, carrier, f"is mounted by {mount.host}", f"{evidence}.host")
        grow.needs(declared, subject("node", mount.server), "asks it", f"{evidence}.server")
        if guest is None:
            _nobody_mounts(grow, declared, mount)


def _nobody_mounts(grow: Growing, declared: str, mount: NfsMount) -> None:
    read = grow.given.fstab.get(mount.host)
    by_store = any(
        store.servers
        and store.path == mount.path
        and (not store.nodes or mount.host in store.nodes)
        for store in grow.given.stores.value or ()
    )
    if read is not None and read.known and not by_store:
        what = f"who mounts {mount.path} at boot: no entry of fstab and no store does"
        grow.unknown(declared, what, read.source)


def _quorum(grow: Growing) -> None:
    """Guests start only once the cluster has quorum (pvecm(1)); a lone node has it at once."""
    inventory, cluster = grow.given.inventory, grow.given.facts.cluster
    members = [name for name, node in inventory.nodes.items() if node.api == "proxmox"]
    if len(members) < 2:
        return
    quorum = part_id(PartKind.QUORUM, inventory.site)
    votes, needed, online = (
        (cluster.votes, cluster.quorum, cluster.online) if cluster else (None, None, None)
    )
    if votes is None or needed is None or online is None:
        grow.unknown(quorum, f"how many votes it needs ({NOBODY})", "api GET cluster/status")
        return
    for fact in (votes, needed, online):
        if fact.value is None:
            grow.unknown(quorum, f"how many votes it needs ({fact.error})", fact.source)
            return
    assert votes.value is not None
    assert needed.value is not None
    elsewhere = max(0, votes.value - len(online.value or ()))
    said = f"{votes.source}: {votes.value} votes, {needed.value} needed, {elsewhere} elsewhere"
    enough = min(len(members), max(1, needed.value - elsewhere))
    label = f"quorum ({enough} of {len(members)} nodes)"
    grow.part(Part(id=quorum, kind=PartKind.QUORUM, label=label, at_least=enough, evidence=(said,)))
    for name in members:
        grow.needs(quorum, subject("node", name), "votes", said)
        grow.needs(part_id(PartKind.BOOT, name), quorum, "starts guests once quorate", said)
