"""Ways to make a well cluster ill, and how each check is then run."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from blackstart.errors import Found, Unproven
from blackstart.model.circumstances import Managed
from blackstart.model.facts import GuestFacts, HostFacts, Mount, SiteFacts, unread
from blackstart.model.proxmox_facts import ProxmoxFacts, nothing_of
from blackstart.model.readiness import ControllerFacts, Readiness

from .calling import call, checks_in
from .invariants.site import lost, seen
from .proxmox_site import (
    CONFIG,
    COPY,
    FAR,
    HA,
    IN_LOCAL,
    MANAGED,
    NOW,
    STORES,
    cluster,
    facts,
    hypervisor,
    inventory,
    plan,
    readiness,
)

TARGETS = {
    "guest": "box",
    "hypervisor": "a1",
    "machine": "a1",
}
"""What each kind of check is about, unless a case says otherwise."""
Given = dict[str, Any]


def site(proxmox: ProxmoxFacts | None = None, **changes: Any) -> Given:
    """All that a check may ask for; well, but for what is given."""
    found = changes.pop("readiness", readiness(proxmox))
    return {
        **TARGETS,
        "facts": facts(),
        "host_boots": {},
        "inventory": inventory(),
        "readiness": found,
        "proxmox": found.proxmox,
        **changes,
    }


def node(name: str = "a1", **changes: Any) -> ProxmoxFacts:
    """The cluster, of which one node says something else."""
    nodes = {it: hypervisor(it) for it in ("a1", "a2")}
    return cluster(hypervisors={**nodes, name: hypervisor(name, **changes)})


def config(vmid: int = 101, **changes: str | None) -> ProxmoxFacts:
    """The cluster, of which one guest is configured otherwise; ``None`` takes a key out."""
    before = CONFIG if vmid == 101 else FAR
    after = {key: text for key, text in {**before, **changes}.items() if text is not None}
    well = cluster().plans
    return cluster(plans={**well, f"qemu/{vmid}": plan(after)})


def stores(**changes: dict[str, Any]) -> ProxmoxFacts:
    """The cluster, whose stores are declared otherwise, by name."""
    found = [it.model_copy(update=changes.get(it.name, {})) for it in STORES]
    return cluster(stores=seen(tuple(found), "api storage"))


def content(place: str, *volumes: Any, **more: Any) -> ProxmoxFacts:
    """The cluster, with something else in one place."""
    return cluster(content={**cluster().content, place: seen(volumes, f"api {place}")}, **more)


def guest_facts(**changes: Any) -> SiteFacts:
    """The snapshot, of which the guest says something else."""
    well = facts()
    return well.model_copy(
        update={"guests": {**well.guests, "box": well.guests["box"].model_copy(update=changes)}}
    )


def mounted(*mounts: Mount) -> SiteFacts:
    """The snapshot, with these mounts on the first node."""
    well = facts()
    host = well.hosts["a1"].model_copy(update={"mounts": seen(mounts, "ssh a1 mounts")})
    return well.model_copy(update={"hosts": {**well.hosts, "a1": host}})


def ha(**changes: Any) -> ProxmoxFacts:
    return cluster(high_availability=seen(HA.model_copy(update=changes), "api ha"))


def managing(**changes: Any) -> ProxmoxFacts:
    """The cluster that manages the guest, in some state."""
    service = Managed(sid="vm:101", node="a1", state="started").model_copy(update=changes)
    return ha(managed=(MANAGED, service))


def copied(**changes: Any) -> Readiness:
    return readiness(configuration_copy=seen(COPY.model_copy(update=changes), "ssh nas"))


def controller(**changes: Any) -> Readiness:
    well = readiness().controllers
    return readiness(controllers={**well, "a1": well["a1"].model_copy(update=changes)})


def mount(target: str, source: str = "/dev/sdb1", fstype: str = "ext4") -> Mount:
    return Mount(source=source, target=target, fstype=fstype, answers=True)


def without(key: str) -> tuple[Any, ...]:
    return tuple(it for it in IN_LOCAL if key not in it.volid)


def counted(votes: int) -> SiteFacts:
    well = facts()
    assert well.cluster is not None
    return well.model_copy(
        update={"cluster": well.cluster.model_copy(update={"votes": seen(votes)})}
    )


def saved(*volumes: Any, **more: Any) -> ProxmoxFacts:
    """The cluster, whose backup server has these."""
    places = {f"{name}/pbs": seen(volumes, "api pbs") for name in ("a1", "a2")}
    return cluster(content={**cluster().content, **places}, **more)


def nothing_seen() -> Given:
    """All that a check may ask for, and nobody answered."""
    blind = nothing_of("look@pve!audit", NOW, "api", "403 no")
    snapshot = facts()
    hosts = {name: unread(HostFacts, "ssh", "no route") for name in snapshot.hosts}
    guests = {name: unread(GuestFacts, "api", "403 no") for name in snapshot.guests}
    silent = unread(ControllerFacts, "redfish", "no answer")
    dark = readiness(
        blind,
        controllers={"a1": silent, "a2": silent},
        configuration_copy=lost("ssh nas"),
        files={},
    )
    return site(
        readiness=dark,
        facts=snapshot.model_copy(update={"hosts": hosts, "guests": guests, "cluster": None}),
    )


def assert_table_is_whole(files: Iterable[str], table: Iterable[str]) -> None:
    """A check without a case that shows it red is itself a failure."""
    assert set(checks_in(*files)) == set(table)


def assert_red(files: Iterable[str], name: str, given: Given, told: str) -> None:
    """The check finds it, and says so with where it was read."""
    with pytest.raises(Found, match=told) as caught:
        call(checks_in(*files)[name], given)
    assert caught.value.evidence
    assert caught.value.fix


def assert_unproven(files: Iterable[str], name: str, given: Given, told: str | None = None) -> None:
    """The check concludes nothing."""
    with pytest.raises(Unproven, match=told):
        call(checks_in(*files)[name], given)
