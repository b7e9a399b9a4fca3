"""What holds of every site, however it is put together."""

from __future__ import annotations

from dataclasses import replace

import networkx as nx
from hypothesis import given
from hypothesis import strategies as st

from blackstart.graph.cycles import cycles, stuck
from blackstart.graph.inputs import BootInputs
from blackstart.graph.predicting import predict
from blackstart.model.boot_graph import LinkKind

from . import sites
from .sites import NAS, NAS_NAME, fstab, inputs, seen, with_fstab, with_guest

OPTIONS = st.sampled_from(["_netdev", "_netdev,nofail", "noauto", "bg", "x-systemd.automount"])
SERVERS = st.sampled_from([NAS, NAS_NAME, "nas1", "10.0.0.50", "192.0.2.99"])


@st.composite
def made(draw: st.DrawFn, servers: st.SearchStrategy[str] = SERVERS) -> BootInputs:
    """A site of some guests on some hosts, each host with its own fstab and resolvers."""
    nodes = draw(st.integers(1, 3))
    given_site = inputs(draw(st.integers(2, 12)), nodes)
    hosts = [host for host in given_site.inventory.nodes if host != "nas1"]
    given_site = with_fstab(
        given_site, **{host: fstab(draw(OPTIONS), draw(servers)) for host in hosts}
    )
    for name in given_site.inventory.guests:
        if draw(st.booleans()):
            store = draw(st.sampled_from(["local", "nas-vms"]))
            order = draw(st.integers(0, 5))
            given_site = with_guest(
                given_site,
                name,
                scsi0=f"{store}:1/x.raw",
                startup=f"order={order},up={draw(st.integers(0, 60))}",
                node=seen(draw(st.sampled_from(hosts)), "api GET cluster/resources"),
            )
    asked = draw(st.lists(st.sampled_from(["10.0.0.50", "10.0.0.51", "192.0.2.1"]), unique=True))
    names = {
        host: replace(found, resolvers=seen(tuple(asked), "resolv.conf"))
        for host, found in given_site.names.items()
    }
    return replace(given_site, names=names)


@given(made(st.just(NAS)))
def test_without_names_and_without_guests_as_servers_nothing_waits_for_itself(
    site: BootInputs,
) -> None:
    graph = sites.graph(site)
    directed = nx.DiGraph(
        (link.before, link.after) for link in graph.links if link.kind is not LinkKind.WANTS
    )
    assert nx.is_directed_acyclic_graph(directed)
    assert not cycles(graph)
    assert not stuck(graph)


@given(made())
def test_what_never_starts_waits_in_a_cycle_or_for_one_that_does(site: BootInputs) -> None:
    graph = sites.graph(site)
    waiting, found = stuck(graph), cycles(graph)
    assert bool(waiting) == bool(found)
    roots = {part for cycle in found for part in cycle.parts}
    assert all(roots & graph.behind(part) for part in waiting)


@given(made())
def test_every_cycle_closes_and_is_in_the_graph(site: BootInputs) -> None:
    graph = sites.graph(site)
    for cycle in cycles(graph):
        ends = [link.after for link in cycle.links]
        assert ends == [*cycle.parts[1:], cycle.parts[0]]
        assert set(cycle.links) <= set(graph.links)
        assert cycle.evidence
        assert cycle.fix


@given(made())
def test_nofail_everywhere_lets_every_boot_get_to_its_guests(site: BootInputs) -> None:
    hosts = [host for host in site.inventory.nodes if host != "nas1"]
    given_site = with_fstab(site, **{host: fstab("nofail", NAS_NAME) for host in hosts})
    assert {f"boot/{host}" for host in hosts} <= sites.graph(given_site).starting()


@given(
    made(),
    st.dictionaries(st.sampled_from(["node/pve1", "guest/maas", "dns/dns2"]), st.floats(0, 1000)),
)
def test_nothing_is_there_before_what_it_needs(site: BootInputs, back_s: dict[str, float]) -> None:
    graph = sites.graph(site)
    found = predict(graph, site.inventory, [("drill", back_s)]).expected()
    at = {item.part: item.at_s for item in found}
    assert set(at) == graph.starting()
    for part, at_s in at.items():
        needed = [link.before for link in graph.needs[part]]
        enough = graph.by_id[part].at_least or len(needed)
        there = [before for before in needed if at.get(before, float("inf")) <= at_s]
        assert len(there) >= enough


@given(made())
def test_more_is_lost_with_more_that_is_gone(site: BootInputs) -> None:
    graph = sites.graph(site)
    one = graph.ready(gone=("node/pve1",))
    both = graph.ready(gone=("node/pve1", "node/nas1"))
    assert both <= one <= graph.ready()
