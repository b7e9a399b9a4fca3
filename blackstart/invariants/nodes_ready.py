"""Every k3s node is ready again at the address it had, and every server's API with it.

A node that moved is Ready in nobody's eyes but its own: its peers look for it at the
address it joined with, and refuse its certificate at any other (outage of July 2025).
"""

from __future__ import annotations

from dataclasses import dataclass

from blackstart.invariants.base import Evidence
from blackstart.invariants.findings import Findings, nothing_to_judge
from blackstart.model.facts import SiteFacts
from blackstart.model.k3s_facts import K3sNode, K3sServer
from blackstart.model.observed import Observed
from blackstart.model.verdict import Judgement

CLUSTER = "k3s"


@dataclass(frozen=True, slots=True)
class NodesReady:
    """The promise for the cluster's nodes, and for each declared server."""

    name: str = "nodes-ready"

    def judge(self, evidence: Evidence) -> tuple[Judgement, ...]:
        """One judgement for all nodes together, and one for each server."""
        k3s = evidence.inventory.k3s
        if k3s is None:
            site = evidence.inventory.site
            return nothing_to_judge(self.name, site, "the inventory declares no k3s")
        servers = (self._server(evidence, name) for name in k3s.servers)
        return (self._nodes(evidence), *servers)

    def _nodes(self, evidence: Evidence) -> Judgement:
        findings = Findings(self.name, CLUSTER)
        was = findings.before(_nodes(evidence.before), "nodes")
        seen = _nodes(evidence.after)
        now = findings.after(seen, "nodes")
        if was is not None:
            self._well_before(findings, was)
        if was is not None and now is not None and seen is not None:
            for node in was:
                self._node(findings, node, now, seen.source)
        return findings.judgement(f"{len(was or ())} nodes ready, at the addresses they had")

    def _well_before(self, findings: Findings, was: tuple[K3sNode, ...]) -> None:
        if not was:
            findings.ill_before("the cluster had no node before the fault")
        for node in was:
            if not node.ready:
                findings.ill_before(f"{node.name} was not ready before the fault: {node.why}")

    def _node(
        self, findings: Findings, was: K3sNode, after: tuple[K3sNode, ...], source: str
    ) -> None:
        now = next((node for node in after if node.name == was.name), None)
        if now is None:
            findings.failed(f"{was.name} is no node of the cluster any more ({source})")
        elif not now.ready:
            findings.failed(f"{now.name} is not ready: {now.why} ({source})")
        elif now.addresses != was.addresses:
            findings.failed(
                f"{now.name} is known at {_list(now.addresses)} ({source}); "
                f"before the fault at {_list(was.addresses)}"
            )

    def _server(self, evidence: Evidence, name: str) -> Judgement:
        findings = Findings(self.name, name)
        before, after = _facts(evidence.before, name), _facts(evidence.after, name)
        failed = findings.before(before.failing if before else None, f"readiness of {name}")
        if failed:
            findings.ill_before(f"{name} was not ready before the fault: {_list(failed)}")
        fails = findings.after(after.failing if after else None, f"readiness of {name}")
        if fails and after is not None:
            findings.failed(f"{name} is not ready: {_list(fails)} ({after.failing.source})")
        verified = findings.after(after.verified if after else None, f"certificate of {name}")
        if verified is False and after is not None:
            findings.failed(f"certificate of {name} does not verify ({after.verified.source})")
        return findings.judgement("its API is ready, its certificate verified")


def _nodes(facts: SiteFacts) -> Observed[tuple[K3sNode, ...]] | None:
    return facts.k3s.nodes if facts.k3s is not None else None


def _facts(facts: SiteFacts, server: str) -> K3sServer | None:
    return facts.k3s.servers.get(server) if facts.k3s is not None else None


def _list(items: tuple[str, ...]) -> str:
    return ", ".join(items) or "no address"


def nodes_ready() -> NodesReady:
    """Every node of the k3s cluster is ready at its address, every server's API too."""
    return NodesReady()
