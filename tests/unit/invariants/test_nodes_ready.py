"""nodes-ready: k3s nodes ready at the addresses they had, and every server's API."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from typing import Any

import pytest

from blackstart.invariants import nodes_ready
from blackstart.invariants.base import Evidence
from blackstart.model.differences import compare, unread
from blackstart.model.k3s_facts import K3sFacts, K3sNode, K3sServer
from blackstart.model.verdict import Judgement, Verdict

from .site import When, good, lost, seen, site

FAIL, UNPROVEN, PASS = Verdict.FAIL, Verdict.UNPROVEN, Verdict.PASS
INVENTORY = site(k3s={"servers": ["box", "far"], "token": "env:T", "ca": "file:/etc/ca.pem"})
SOURCE = "api k3s GET /api/v1/nodes"
ADDRESSES = {"box": "192.0.2.61", "far": "192.0.2.62"}


def node(name: str, **changes: Any) -> K3sNode:
    made = K3sNode(name=name, ready=True, why="KubeletReady", addresses=(ADDRESSES[name],))
    return made.model_copy(update=changes)


def nodes(*items: K3sNode) -> Any:
    return seen(items, SOURCE)


def server(name: str) -> K3sServer:
    return K3sServer(
        address=ADDRESSES[name],
        failing=seen((), f"readyz {name}"),
        carried=seen((ADDRESSES[name],), f"tls {name}"),
        verified=seen(True, f"tls {name}"),
    )


WELL = K3sFacts(
    version=seen("v1.33.6+k3s1"),
    nodes=nodes(node("box"), node("far")),
    servers={name: server(name) for name in ADDRESSES},
)


def drill(before: K3sFacts | None = WELL, after: K3sFacts | None = WELL) -> Evidence:
    evidence = good(inventory=INVENTORY)
    return replace(
        evidence,
        before=evidence.before.model_copy(update={"k3s": before}),
        after=evidence.after.model_copy(update={"k3s": after}),
    )


def with_nodes(*items: K3sNode) -> K3sFacts:
    return WELL.model_copy(update={"nodes": nodes(*items)})


def with_server(**changes: Any) -> K3sFacts:
    changed = server("box").model_copy(update=changes)
    return WELL.model_copy(update={"servers": {**WELL.servers, "box": changed}})


def judged(evidence: Evidence) -> dict[str, Judgement]:
    found = {item.target: item for item in nodes_ready().judge(evidence)}
    assert set(found) == {"k3s", "box", "far"}
    return found


def test_all_is_well() -> None:
    found = judged(drill())
    assert {item.verdict for item in found.values()} == {PASS}
    assert found["k3s"].reason == "2 nodes ready, at the addresses they had"
    assert found["box"].reason == "its API is ready, its certificate verified"


GONE = node("box", ready=False, why="NodeStatusUnknown: Kubelet stopped posting node status.")
BROKEN = {
    "fallen silent": (
        drill(after=with_nodes(GONE, node("far"))),
        "k3s",
        f"box is not ready: NodeStatusUnknown: Kubelet stopped posting node status. ({SOURCE})",
    ),
    "no node any more": (
        drill(after=with_nodes(node("far"))),
        "k3s",
        f"box is no node of the cluster any more ({SOURCE})",
    ),
    "joined again from another address": (
        drill(after=with_nodes(node("box", addresses=("192.0.2.220",)), node("far"))),
        "k3s",
        f"box is known at 192.0.2.220 ({SOURCE}); before the fault at 192.0.2.61",
    ),
    "without an address": (
        drill(after=with_nodes(node("box", addresses=()), node("far"))),
        "k3s",
        f"box is known at no address ({SOURCE}); before the fault at 192.0.2.61",
    ),
    "server without its datastore": (
        drill(after=with_server(failing=seen(("etcd failed",), "readyz box"))),
        "box",
        "box is not ready: etcd failed (readyz box)",
    ),
    "certificate of another address": (
        drill(after=with_server(verified=seen(False, "tls box: IP address mismatch"))),
        "box",
        "certificate of box does not verify (tls box: IP address mismatch)",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_promise_is_red(name: str) -> None:
    evidence, target, said = BROKEN[name]
    found = judged(evidence)
    assert (found[target].verdict, found[target].reason) == (FAIL, said)
    assert {item.verdict for key, item in found.items() if key != target} == {PASS}


def test_a_node_more_breaks_no_promise() -> None:
    later = K3sNode(name="new", ready=False, why="no condition Ready", addresses=())
    found = judged(drill(after=with_nodes(node("box"), node("far"), later)))
    assert found["k3s"].verdict is PASS


UNKNOWN = {
    "refused": (
        drill(after=WELL.model_copy(update={"nodes": lost(SOURCE, "403 nodes is forbidden")})),
        "k3s",
        f"nodes not seen: 403 nodes is forbidden ({SOURCE})",
    ),
    "nobody looked": (drill(after=None), "k3s", "nodes not seen: nobody looked"),
    "not read before": (
        drill(before=WELL.model_copy(update={"nodes": lost(SOURCE)})),
        "k3s",
        f"nodes before the fault not seen: no answer ({SOURCE})",
    ),
    "no node before": (
        drill(before=with_nodes()),
        "k3s",
        "the cluster had no node before the fault",
    ),
    "ill before": (
        drill(before=with_nodes(GONE, node("far"))),
        "k3s",
        "box was not ready before the fault: "
        "NodeStatusUnknown: Kubelet stopped posting node status.",
    ),
    "server silent": (
        drill(after=with_server(failing=lost("readyz box", "refused"))),
        "box",
        "readiness of box not seen: refused (readyz box)",
    ),
    "server ill before": (
        drill(before=with_server(failing=seen(("etcd failed",)))),
        "box",
        "box was not ready before the fault: etcd failed",
    ),
    "certificate unseen": (
        drill(after=with_server(verified=lost("tls box", "refused"))),
        "box",
        "certificate of box not seen: refused (tls box)",
    ),
}


@pytest.mark.parametrize("name", UNKNOWN)
def test_what_is_not_known_is_unproven(name: str) -> None:
    evidence, target, said = UNKNOWN[name]
    found = judged(evidence)[target]
    assert (found.verdict, found.reason) == (UNPROVEN, said)


def test_no_k3s_is_unproven() -> None:
    (found,) = nodes_ready().judge(good())
    assert (found.target, found.verdict) == ("home", UNPROVEN)


def poorer(facts: K3sFacts, fact: str) -> K3sFacts:
    """The same with one fact lost."""
    if fact in K3sFacts.model_fields:
        return facts.model_copy(update={fact: lost()})
    name, _, field = fact.partition(".")
    changed = facts.servers[name].model_copy(update={field: lost()})
    return facts.model_copy(update={"servers": {**facts.servers, name: changed}})


LEAVES = ("nodes", "version", "box.failing", "box.verified", "box.carried")
LOSSES: list[tuple[When, str]] = [(when, leaf) for when in ("before", "after") for leaf in LEAVES]


@pytest.mark.parametrize("name", [*BROKEN, *UNKNOWN])
def test_losing_evidence_never_makes_a_pass(name: str) -> None:
    evidence = {**BROKEN, **UNKNOWN}[name][0]
    whole = judged(evidence)
    for losses in (pair for size in (1, 2) for pair in combinations(LOSSES, size)):
        less = evidence
        for when, fact in losses:
            facts = getattr(less, when)
            if facts.k3s is None:
                continue
            changed = facts.model_copy(update={"k3s": poorer(facts.k3s, fact)})
            less = (
                replace(less, before=changed) if when == "before" else replace(less, after=changed)
            )
        for target, item in judged(less).items():
            assert whole[target].verdict is PASS or item.verdict is not PASS, losses


@pytest.mark.parametrize(
    ("after", "path", "klass"),
    [
        (WELL.model_copy(update={"version": seen("v1.34.0+k3s1")}), "k3s/version", "identity"),
        (
            with_nodes(node("box"), GONE.model_copy(update={"name": "far"})),
            "k3s/nodes/far",
            "converging",
        ),
        (with_server(failing=seen(("etcd failed",))), "k3s/servers/box/failing", "converging"),
        (with_server(carried=seen(("192.0.2.9",))), "k3s/servers/box/carried", "identity"),
        (with_server(verified=seen(False)), "k3s/servers/box/verified", "identity"),
    ],
)
def test_every_fact_has_its_class(after: K3sFacts, path: str, klass: str) -> None:
    evidence = drill(after=after)
    found = compare(evidence.before, evidence.after, rebooted=frozenset({"a1"}))
    assert [(item.path, item.klass) for item in found if item.path.startswith("k3s")] == [
        (path, klass)
    ]


def test_servers_that_nobody_looked_at_are_told() -> None:
    evidence = drill(after=None)
    told = unread(evidence.inventory, evidence.before, evidence.after)
    assert "k3s/servers/far after: nobody looked" in told
    assert not [line for line in unread(INVENTORY, drill().before, drill().after) if "k3s" in line]
