"""One drill that went well, as evidence, and ways to make it go otherwise."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

from blackstart.invariants.base import Evidence
from blackstart.model.facts import (
    CertificateFacts,
    ClusterFacts,
    ComposeFacts,
    Container,
    GuestFacts,
    HostFacts,
    Mount,
    Observed,
    SiteFacts,
)
from blackstart.model.inventory import Inventory
from blackstart.model.samples import Sample, Series

BEGAN, ENDED, HOLD, PERIOD = 100.0, 200.0, 10.0, 1.0
MACS = {"box": "bc:24:11:00:00:01", "far": "bc:24:11:00:00:02", "lab": "bc:24:11:00:00:03"}
ADDRESSES = {"box": "192.0.2.61", "far": "192.0.2.62", "lab": "192.0.2.63"}
NODES = {"box": "a1", "far": "a2", "lab": "a2"}
WEB = Container(service="web", state="running", image="web:1", restart_policy="unless-stopped")
MEDIA = Mount(source="192.0.2.20:/export/media", target="/mnt/media", fstype="nfs4", answers=True)
Path = tuple[str, ...]
When = Literal["before", "after"]


def seen(value: Any, source: str = "read") -> Observed[Any]:
    return Observed[Any](value=value, source=source)


def lost(source: str = "read", error: str = "no answer") -> Observed[Any]:
    return Observed[Any](source=source, error=error)


def document(**changes: Any) -> dict[str, Any]:
    """An inventory: two hypervisors with a guest each and one guest that is meant to be off."""
    guests = {
        name: {
            "vmid": 101 + number,
            "kind": "qemu",
            "node": NODES[name],
            "address": ADDRESSES[name],
            "mac": MACS[name],
            "budget": "60s",
            "names": ["box.lab.test"] if name == "box" else [],
            "running": name != "lab",
        }
        for number, name in enumerate(MACS)
    }
    whole: dict[str, Any] = {
        "site": "home",
        "domain": "lab.test",
        "proxmox": {"token": "env:TOKEN"},
        "nodes": {
            "a1": {"address": "192.0.2.11", "api": "proxmox"},
            "a2": {"address": "192.0.2.12", "api": "proxmox"},
            "nas": {"address": "192.0.2.20", "role": "nas"},
        },
        "guests": guests,
        "dns": {
            "servers": {"ns": {"address": "192.0.2.62", "guest": "far", "budget": "60s"}},
            "names": {
                "box.lab.test": {"addresses": ["192.0.2.61"]},
                "www.lab.test": {"addresses": ["192.0.2.61", "192.0.2.62"]},
                "store.lab.test": {"addresses": ["192.0.2.20"]},
            },
        },
        "compose": {
            "shop": {
                "guest": "box",
                "directory": "/opt/shop",
                "services": ["web"],
                "sentinel": "/opt/shop/data/sentinel",
            }
        },
        "services": {"shop": {"http": "http://192.0.2.61/", "guest": "box", "budget": "60s"}},
        "mounts": {
            "media": {
                "host": "box",
                "path": "/mnt/media",
                "server": "nas",
                "export": "/export/media",
                "budget": "60s",
            }
        },
        "certificates": {"api": {"guest": "box", "port": 6443, "ca": "file:/etc/ca.pem"}},
    }
    return {**whole, **changes}


def site(**changes: Any) -> Inventory:
    """The same, read."""
    return Inventory.model_validate(document(**changes))


def _host(boot: str, address: str) -> HostFacts:
    return HostFacts(
        boot_id=seen(boot),
        uptime_s=seen(1.0),
        kernel=seen("6.12"),
        system_state=seen("running"),
        failed_units=seen(()),
        mounts=seen((Mount(source="/dev/sda1", target="/srv", fstype="ext4", answers=True),)),
        addresses=seen({"vmbr0": (address,)}),
        memory_available_kib=seen(1000),
        oom_lines=seen(()),
    )


def _guest(name: str) -> GuestFacts:
    off = name == "lab"
    return GuestFacts(
        node=seen(NODES[name]),
        status=seen("stopped" if off else "running"),
        onboot=seen(not off),
        config=seen({"memory": "512", "digest": "d1"}),
        booted=lost(error="off") if off else seen(True),
        interfaces=lost(error="off") if off else seen({MACS[name]: (ADDRESSES[name],)}),
    )


def facts(boot: str) -> SiteFacts:
    """All is well, in a boot of a1."""
    return SiteFacts(
        taken_at=0.0,
        hosts={
            "a1": _host(boot, "192.0.2.11"),
            "a2": _host("other", "192.0.2.12"),
            "nas": _host("third", "192.0.2.20"),
        },
        guests={name: _guest(name) for name in MACS},
        names={
            "ns/box.lab.test": seen(("192.0.2.61",), "dns ns"),
            "ns/www.lab.test": seen(("192.0.2.61", "192.0.2.62"), "dns ns"),
            "ns/store.lab.test": seen(("192.0.2.20",), "dns ns"),
        },
        compose={"shop": ComposeFacts(containers=seen((WEB,)), sentinel_sha256=seen("abc"))},
        certificates={
            "api": CertificateFacts(
                fingerprint_sha256=seen("f1"),
                addresses=seen(("192.0.2.61",), "tls api"),
                verified=seen(True, "tls api"),
            )
        },
        mounts={"media": seen((MEDIA,))},
        cluster=ClusterFacts(
            quorate=seen(True), online=seen(("a1", "a2")), votes=seen(3), quorum=seen(2)
        ),
    )


def series(
    subject: str,
    down: tuple[float, float] | None = None,
    *,
    period: float = PERIOD,
    ended: float = ENDED,
) -> Series:
    """Answers from 20 s before the fault on; those within ``down`` failed."""
    count = int((ended - BEGAN + 20) / period) + 1
    times = [BEGAN - 20 + period * turn for turn in range(count)]
    samples = tuple(Sample(at=at, ok=down is None or not down[0] <= at < down[1]) for at in times)
    return Series(
        probe=f"icmp {subject}",
        kind="icmp",
        subject=subject,
        period_s=period,
        samples=samples,
        asked=len(samples),
    )


def good(**changes: Any) -> Evidence:
    """a1 was rebooted; its guest was away for 30 s and is back."""
    evidence = Evidence(
        inventory=site(),
        fault="reboot",
        target="a1",
        blast_radius=("a1", "box"),
        before=facts("first"),
        during=(
            series("guest/box", (101.0, 131.0)),
            series("guest/far"),
            series("dns/ns"),
            series("service/shop", (101.0, 135.0)),
            series("mount/media", (101.0, 135.0)),
        ),
        after=facts("second"),
        began_at=BEGAN,
        ended_at=ENDED,
        hold_s=HOLD,
    )
    return replace(evidence, **changes)


def with_series(evidence: Evidence, *others: Series) -> Evidence:
    """The same with other answers for some subjects."""
    replaced = {item.subject for item in others}
    kept = tuple(item for item in evidence.during if item.subject not in replaced)
    return replace(evidence, during=(*kept, *others))


def put(evidence: Evidence, when: When, path: str, value: Any) -> Evidence:
    """The same with another fact; the path is ``guests.box.status`` or ``names.ns/NAME``.

    ``None`` takes the whole entry away; of an entry that is gone nothing can be changed.
    """
    section, _, rest = path.partition(".")
    name, _, field = ("", "", rest) if section == "cluster" else rest.partition(".")
    if section in {"names", "mounts"}:
        name, field = rest, ""
    snapshot: SiteFacts = getattr(evidence, when)
    entries: Any = getattr(snapshot, section)
    entry = entries if section == "cluster" else entries.get(name)
    if field and entry is None:
        return evidence
    if field:
        value = entry.model_copy(update={field: value})
    if section == "cluster":
        changed = value
    elif value is None:
        changed = {key: item for key, item in entries.items() if key != name}
    else:
        changed = {**entries, name: value}
    altered = snapshot.model_copy(update={section: changed})
    if when == "before":
        return replace(evidence, before=altered)
    return replace(evidence, after=altered)
