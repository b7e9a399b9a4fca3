"""The boot graph of the rack, as its seed writes it: everything starts, in these stages."""

from __future__ import annotations

from pathlib import Path

from blackstart.graph.inputs import BootInputs, HostNames
from blackstart.graph.outlook import Outlook, outlook
from blackstart.inventory_file import load
from blackstart.model.boot_graph import LinkKind
from blackstart.model.circumstances import HighAvailability
from blackstart.model.facts import ClusterFacts, SiteFacts
from blackstart.model.host_boot import FstabLine
from blackstart.model.proxmox_facts import StoreDefinition
from blackstart.model.verdict import Verdict
from blackstart.rack.seed import corosync, datacenter, hypervisor
from blackstart.rack.topology import PVE, Guest

from . import sites
from .sites import seen

RACK = load(Path(__file__).parents[3] / "inventory/rack.yaml")
HYPERVISORS = ("pve1", "pve2")


def configured(guest: Guest) -> dict[str, str]:
    lines = datacenter.guest_configuration(PVE, guest).splitlines()
    return dict(line.split(": ", 1) for line in lines)


def mounts() -> tuple[FstabLine, ...]:
    nas = corosync.witness(PVE).address
    return tuple(
        FstabLine(
            **{"file": "/etc/fstab", "line": number, "spec": f"{nas}:/export/{store}"},
            **{"path": f"/mnt/nas/{store}", "fstype": "nfs"},
            options=tuple(hypervisor.NFS_OPTIONS.split(",")),
        )
        for number, store in enumerate(hypervisor.STORES, 3)
    )


def rack() -> Outlook:
    given = BootInputs(
        inventory=RACK,
        facts=SiteFacts(
            taken_at=0.0,
            guests={
                guest.name: sites.guest_facts(
                    guest.name, 0, guest.node, config=seen(configured(guest), "api config")
                )
                for guest in PVE.guests
            },
            cluster=ClusterFacts(
                quorate=seen(True), online=seen(HYPERVISORS), votes=seen(3), quorum=seen(2)
            ),
        ),
        fstab={"nas1": seen(()), **{host: seen(mounts()) for host in HYPERVISORS}},
        names={host: HostNames(table=seen({}), resolvers=seen(())) for host in RACK.nodes},
        stores=seen(
            (
                StoreDefinition(name="local", kind="dir", path="/srv/local/vz"),
                StoreDefinition(name="nas-vms", kind="dir", path="/mnt/nas/vms"),
            )
        ),
        high_availability=seen(HighAvailability(managed=(), maintenance=(), disarmed=False)),
    )
    return outlook(sites.graph(given), RACK)


def test_everything_starts_and_nothing_is_unknown() -> None:
    found = rack()
    assert found.graph.unknown == ()
    assert (found.cycles, found.never) == ((), ())
    assert found.verdict is Verdict.PASS


def test_nobody_waits_for_the_nas() -> None:
    graph = rack().graph
    waiting = [link for link in graph.links if link.before.startswith("mount/")]
    assert {link.kind for link in waiting} == {LinkKind.WANTS}
    assert not any("node/nas1" in graph.behind(f"guest/{name}") for name in RACK.guests)


def test_machines_come_first_and_services_after_their_guests() -> None:
    stages = {
        item.part: stage.number for stage in rack().prediction.stages() for item in stage.parts
    }
    assert {stages[f"node/{name}"] for name in RACK.nodes} == {1}
    assert stages["guest/maas"] < stages["dns/maas"]
    assert stages["guest/docker1"] < stages["service/web"]
    assert set(stages) >= {f"guest/{name}" for name in RACK.guests}


def test_turns_are_as_the_topology_orders_them() -> None:
    graph = rack().graph
    turns = [
        (link.before, link.after, link.delay_s)
        for link in graph.links
        if link.kind is LinkKind.AFTER
    ]
    assert ("start/maas", "start/docker1", 5.0) in turns
    assert ("start/k3s3", "start/app1", 0.0) in turns
