"""The boot graph of sites, link by link: each says what waits for what, and how that is known."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from blackstart.graph.inputs import HostNames, boot_inputs
from blackstart.model.boot_graph import BootGraph, Link, LinkKind
from blackstart.model.host_boot import HostBootFacts, HostsLine
from blackstart.model.observed import unread
from blackstart.model.proxmox_facts import StoreDefinition

from . import sites
from .sites import by_name, fstab, inputs, lost, seen, unreadable, with_fstab, with_guest

GOLDEN = Path(__file__).parent / "golden"


def link(graph: BootGraph, before: str, after: str) -> Link:
    (found,) = (item for item in graph.links if (item.before, item.after) == (before, after))
    return found


def linked(graph: BootGraph, before: str, after: str) -> bool:
    return any((item.before, item.after) == (before, after) for item in graph.links)


def written(graph: BootGraph) -> str:
    """A graph as its golden file has it: a line a link, then what could not be seen."""
    lines = []
    for item in graph.links:
        kind = f"{item.kind} +{item.delay_s:.0f}s" if item.delay_s else item.kind
        said = " | ".join((item.why, *item.evidence))
        lines.append(f"{item.before} -> {item.after} [{kind}] {said}")
    return "\n".join([*lines, *(f"unknown {gap}" for gap in graph.unknown), ""])


SITES = {
    "three-guests": inputs(3),
    "by-name": by_name(inputs(3), "pve1", "pve2"),
    "on-the-nas": with_guest(inputs(7), "docker1", scsi0="nas-vms:102/vm-102-disk-0.qcow2,size=8G"),
    "nothing-read": replace(
        with_fstab(unreadable(inputs(3), "maas"), pve1=None, pve2=lost("ssh pve2: /etc/fstab")),
        stores=lost("api GET storage", "403"),
        names={},
    ),
}


@pytest.mark.parametrize("name", SITES)
def test_every_link_and_its_evidence_are_as_written_down(name: str) -> None:
    golden = GOLDEN / f"{name}.txt"
    assert golden.exists(), f"write {golden} by hand, after reading what it should say"
    assert written(sites.graph(SITES[name])) == golden.read_text()


def test_every_link_has_its_evidence() -> None:
    for given in SITES.values():
        assert all(item.evidence and all(item.evidence) for item in sites.graph(given).links)


@pytest.mark.parametrize(
    ("options", "kind"),
    [
        ("defaults,_netdev", LinkKind.NEEDS),
        ("defaults,_netdev,nofail", LinkKind.WANTS),
        ("defaults,bg", LinkKind.WANTS),
        ("defaults,x-systemd.automount", LinkKind.WANTS),
    ],
)
def test_a_boot_waits_for_mounts_that_are_not_nofail(options: str, kind: LinkKind) -> None:
    graph = sites.graph(with_fstab(inputs(), pve1=fstab(options)))
    found = link(graph, "mount/pve1-vms", "boot/pve1")
    assert found.kind is kind
    assert found.evidence == (
        f"pve1:/etc/fstab:7: 10.0.0.20:/export/vms /mnt/nas/vms nfs {options}",
    )


def test_noauto_is_mounted_by_nobody_at_boot() -> None:
    graph = sites.graph(with_fstab(inputs(), pve1=fstab("noauto")))
    assert not linked(graph, "mount/pve1-vms", "boot/pve1")
    assert [gap.part for gap in graph.unknown] == ["mount/pve1-vms"]


def test_a_mount_on_a_mount_needs_it() -> None:
    bind = ("/mnt/nas/vms/x", "/srv/x", "none", "bind")
    below = ("10.0.0.20:/export/more", "/mnt/nas/vms/more", "nfs", "nofail")
    given = with_fstab(inputs(), pve1=fstab("nofail", "10.0.0.20", bind, below))
    graph = sites.graph(with_guest(given, "maas", mp0="/srv/x,mp=/x"))
    assert linked(graph, "mount/pve1-vms", "mount/pve1:/srv/x")
    assert linked(graph, "mount/pve1-vms", "mount/pve1:/mnt/nas/vms/more")
    assert linked(graph, "mount/pve1:/srv/x", "start/maas")


def test_a_name_in_the_hosts_own_table_waits_for_nobody() -> None:
    given = by_name(inputs(), "pve1")
    table = HostNames(table=seen({"nas1.lab.test": "/etc/hosts:3"}), resolvers=seen(("10.0.0.50",)))
    graph = sites.graph(replace(given, names={**given.names, "pve1": table}))
    assert not [part for part in graph.by_id if part.startswith("name/")]
    assert linked(graph, "node/nas1", "mount/pve1-vms")


@pytest.mark.parametrize("server", ["nas1.lab.test", "nas1", "NAS1"])
def test_a_short_name_is_one_of_the_sites_domain(server: str) -> None:
    graph = sites.graph(with_fstab(inputs(), pve1=fstab("_netdev", server)))
    assert linked(graph, "name/nas1.lab.test for pve1", "mount/pve1-vms")
    assert linked(graph, "dns/maas", "name/nas1.lab.test for pve1")
    assert linked(graph, "node/nas1", "mount/pve1-vms")


def test_a_resolver_that_does_not_know_the_name_is_none() -> None:
    given = by_name(inputs(), "pve1")
    names = {**given.facts.names, "maas/nas1.lab.test": seen((), "dns maas")}
    facts = given.facts.model_copy(update={"names": names})
    graph = sites.graph(replace(given, facts=facts))
    assert not linked(graph, "dns/maas", "name/nas1.lab.test for pve1")
    assert linked(graph, "dns/dns2", "name/nas1.lab.test for pve1")


@pytest.mark.parametrize("resolvers", [seen(("127.0.0.53",)), seen(()), lost(), None])
def test_without_the_hosts_resolvers_the_declared_ones_count_with_a_gap(resolvers: object) -> None:
    given = by_name(inputs(), "pve1")
    names = dict(given.names)
    if resolvers is None:
        del names["pve1"]
    else:
        names["pve1"] = replace(names["pve1"], resolvers=resolvers)  # type: ignore[arg-type]
    graph = sites.graph(replace(given, names=names))
    assert linked(graph, "dns/maas", "name/nas1.lab.test for pve1")
    assert "name/nas1.lab.test for pve1" in {gap.part for gap in graph.unknown}


def test_a_resolver_outside_may_know_the_name_or_not() -> None:
    given = by_name(inputs(), "pve1")
    names = replace(given.names["pve1"], resolvers=seen(("192.0.2.1",), "resolv.conf"))
    graph = sites.graph(replace(given, names={**given.names, "pve1": names}))
    assert linked(graph, "outside/192.0.2.1", "name/nas1.lab.test for pve1")
    (gap,) = graph.unknown
    assert "whether 192.0.2.1 knows nas1.lab.test" in gap.what


def test_a_network_store_asks_its_server_itself() -> None:
    given = with_guest(inputs(), "docker1", scsi0="nas-nfs:102/x.qcow2")
    store = StoreDefinition(
        name="nas-nfs", kind="nfs", path="/mnt/pve/nas-nfs", servers=("nas1.lab.test",)
    )
    graph = sites.graph(replace(given, stores=seen((store, *sites.STORES), "api GET storage")))
    assert linked(graph, "node/nas1", "store/nas-nfs on pve1")
    assert linked(graph, "name/nas1.lab.test for pve1", "store/nas-nfs on pve1")
    assert linked(graph, "store/nas-nfs on pve1", "start/docker1")


def test_a_store_that_is_not_defined_is_a_gap() -> None:
    graph = sites.graph(with_guest(inputs(), "docker1", scsi0="gone:102/x.qcow2"))
    assert [str(gap) for gap in graph.unknown] == [
        "store/gone on pve1: there is no store gone (api GET storage)"
    ]


def test_turns_go_by_order_then_by_vmid_and_those_without_order_are_last() -> None:
    given = with_guest(inputs(7), "maas", startup="up=5")  # no order
    given = with_guest(given, "vault", startup="order=3")
    graph = sites.graph(with_guest(given, "k3s2", startup="3"))
    turns = [(item.before, item.after) for item in graph.links if item.kind is LinkKind.AFTER]
    assert [pair for pair in turns if graph.by_id[pair[0]].host == "pve1"] == [
        ("start/docker1", "start/k3s2"),
        ("start/k3s2", "start/vault"),
        ("start/vault", "start/maas"),
    ]


def test_a_guest_is_where_it_is_now_and_not_where_it_is_declared() -> None:
    graph = sites.graph(with_guest(inputs(), "maas", node=seen("pve2", "api GET resources")))
    assert linked(graph, "boot/pve2", "start/maas")
    assert graph.by_id["guest/maas"].host == "pve2"
    assert linked(graph, "store/local on pve2", "start/maas")


def test_a_guest_on_a_node_that_nobody_declared_is_a_gap() -> None:
    graph = sites.graph(with_guest(inputs(), "maas", node=seen("pve9", "api")))
    assert linked(graph, "outside/pve9", "start/maas")
    assert "start/maas" in {gap.part for gap in graph.unknown}


def test_who_is_meant_to_be_off_never_starts() -> None:
    document = sites.document(3, 2)
    document["guests"]["docker1"]["running"] = False
    graph = sites.graph(inputs(guests=document["guests"]))
    assert graph.by_id["guest/docker1"].never == "it is meant to be off"
    assert "compose/web" not in graph.ready()


def test_names_of_a_host_come_from_its_first_line_that_has_them() -> None:
    lines = tuple(
        HostsLine(file="/etc/hosts", line=number, address="10.0.0.20", names=("NAS1.lab.test",))
        for number in (3, 9)
    )
    boot = unread(HostBootFacts, "ssh pve1", "closed").model_copy(
        update={"hosts_file": seen(lines, "ssh pve1: /etc/hosts")}
    )
    given = inputs()
    found = boot_inputs(given.inventory, given.facts, {"pve1": boot}, None)
    assert found.names["pve1"].table.value == {"nas1.lab.test": "/etc/hosts:3"}
    assert found.fstab["pve1"].error == "closed"
    assert found.stores.value is None
